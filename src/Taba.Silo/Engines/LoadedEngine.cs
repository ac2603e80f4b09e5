using Taba.Diffusion.Engine;
using Taba.Diffusion.Models;

namespace Taba.Silo.Engines;

/// <summary>A model on a device, with the engine that drives it.</summary>
/// <param name="Definition">The model.</param>
/// <param name="Engine">Its engine.</param>
/// <param name="Pace">How many steps a segment has.</param>
sealed record LoadedEngine(ModelDefinition Definition, DenoisingEngine Engine, SegmentPace Pace);

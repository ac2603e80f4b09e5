using Taba.Diffusion.Engine;
using Taba.Diffusion.Models;

namespace Taba.Silo.Engines;

/// <summary>A model on this silo's device, with the engine that drives it.</summary>
/// <param name="Key">Model, precision and batch shape.</param>
sealed record LoadedEngine(string Key, ModelDefinition Definition, DenoisingEngine Engine);

using System.Collections.Immutable;
using Taba.Grains.Dispatch;

namespace Taba.Silo.Engines;

/// <summary>The room of a silo's engines, which a worker asks for before it takes parts.</summary>
interface IEngineCapacity
{
    /// <summary>Devices that work.</summary>
    int Devices { get; }

    /// <summary>Trajectories that an engine runs at once, on all devices together that work.</summary>
    int Slots { get; }

    /// <summary>The most rows of one forward pass, on all devices together that work.</summary>
    int BatchSize { get; }

    /// <summary>Parts that pass through autoencoders at once, or are read for them.</summary>
    int AutoencoderParts { get; }

    /// <summary>False when every device is broken or hangs: what begins now would only fail.</summary>
    bool CanWork { get; }

    /// <summary>Engines that are loaded, or about to be, and how fast they have been so far.</summary>
    ImmutableArray<ResidentEngine> Loaded { get; }
}

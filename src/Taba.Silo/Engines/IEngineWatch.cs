using System.Collections.Immutable;

namespace Taba.Silo.Engines;

/// <summary>
/// The health of this silo's devices: for health checks, and for whoever ends the process when the last device hangs or breaks.
/// </summary>
public interface IEngineWatch
{
    /// <summary>Completes when no device is of any more use to this process.</summary>
    Task<EngineTrouble> Trouble { get; }

    /// <summary>The pass that each engine is in at this moment, and its turns so far.</summary>
    ImmutableArray<EngineHeartbeat> Heartbeats { get; }
}

/// <summary>The kinds of trouble that a device can be in.</summary>
public enum EngineTroubleKind
{
    /// <summary>A forward pass does not end.</summary>
    Stuck,

    /// <summary>The device reported an error that stays until the process ends.</summary>
    DeviceBroken,
}

/// <summary>Why a process can no longer use a device.</summary>
/// <param name="Kind">Stuck or broken.</param>
/// <param name="Device">The device's name.</param>
/// <param name="Model">The model whose engine it was.</param>
/// <param name="What">A sentence for whoever reads the log.</param>
public sealed record EngineTrouble(EngineTroubleKind Kind, string Device, string Model, string What);

/// <summary>An engine at one moment.</summary>
/// <param name="Device">Its device's name.</param>
/// <param name="Model">Its model.</param>
/// <param name="InPass">How long the pass under way takes so far; null between passes.</param>
/// <param name="Rows">Rows of that pass.</param>
/// <param name="Step">The step of its first row.</param>
/// <param name="Passes">Forward passes since the engine was made: a number that stands still while work waits is no good sign.</param>
public sealed record EngineHeartbeat(string Device, string Model, TimeSpan? InPass, int Rows, int Step, long Passes);

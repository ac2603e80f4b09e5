using Taba.Grains.Dispatch;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Waits;

/// <summary>Why rows of a stage are neither done nor out.</summary>
/// <param name="Kind">For programs.</param>
/// <param name="Text">For people: what it waits for, and what ends that. A sentence.</param>
public sealed record StageWait(WaitKind Kind, string Text);

/// <summary>What a stage waits for.</summary>
public enum WaitKind
{
    /// <summary>Somebody paused the sweep.</summary>
    Paused,

    /// <summary>Its coordinator does not answer.</summary>
    Silent,

    /// <summary>A store or database is away.</summary>
    Store,

    /// <summary>Every silo that could take it waits, or cannot serve its model.</summary>
    Fault,

    /// <summary>Rows that it reads are not published.</summary>
    Inputs,

    /// <summary>Rows that it reads are given up: what is left of it will not be computed.</summary>
    InputsGivenUp,

    /// <summary>No device takes work.</summary>
    NoDevice,

    /// <summary>A sweep of higher priority has rows that could be computed.</summary>
    Behind,

    /// <summary>Its rows are suspect, and for a worker that holds nothing.</summary>
    Suspect,

    /// <summary>No worker has room.</summary>
    Busy,

    /// <summary>A worker has room: it is a matter of a moment.</summary>
    HandedOut,
}

/// <summary>What is known where somebody asks why stages wait. What is not known is not said.</summary>
/// <param name="Plan">The sweep's plan.</param>
/// <param name="Status">How it stands.</param>
/// <param name="Names">Names of its stages by key.</param>
public sealed record WaitFacts(SweepPlan Plan, SweepStatus Status, IReadOnlyDictionary<string, string> Names)
{
    /// <summary>What the dispatcher says, asked for this sweep; null when it does not answer.</summary>
    public DispatchStanding? Standing { get; init; }

    /// <summary>Devices of the cluster that take work; null when that is not known.</summary>
    public int? DevicesWorking { get; init; }
}

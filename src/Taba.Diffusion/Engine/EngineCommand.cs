namespace Taba.Diffusion.Engine;

enum CommandKind
{
    /// <summary>Run a trajectory to <see cref="EngineCommand.SegmentEnd"/>.</summary>
    Run,

    /// <summary>Forget a trajectory.</summary>
    Close,

    /// <summary>A replacement row was read.</summary>
    SwapRow,

    /// <summary>A replacement row could not be read.</summary>
    Fail,

    /// <summary>An observer threw; it knows.</summary>
    ObserverFailed,

    /// <summary>Finish the segments under way and complete <see cref="EngineCommand.Done"/>.</summary>
    Drain,

    /// <summary>End after the current turn.</summary>
    Stop,
}

/// <summary>A message to the engine's thread.</summary>
readonly record struct EngineCommand(CommandKind Kind)
{
    public Trajectory? Trajectory { get; init; }
    public int SegmentEnd { get; init; }
    public ReadOnlyMemory<byte> Row { get; init; }
    public int Step { get; init; }
    public Exception? Error { get; init; }
    public TaskCompletionSource? Done { get; init; }
}

namespace Taba.Grains.Faults;

/// <summary>What kept an attempt from going on, with the one whose fault it is and what speaks for that (docs/design/blame.md).</summary>
/// <param name="Owner">Whose fault it is, as far as whoever noticed can tell.</param>
/// <param name="Reason">What happened, in words.</param>
[GenerateSerializer, Immutable, Alias("taba.Fault")]
public sealed record Fault(FaultOwner Owner, string Reason)
{
    /// <summary>
    /// The rows that were being computed when an engine failed: then the fault may be one of theirs. For <see cref="FaultOwner.Input"/>
    /// rows of <see cref="Stage"/>. Else empty.
    /// </summary>
    [Id(10)] public RowRange Rows { get; init; }

    /// <summary>For <see cref="FaultOwner.Input"/>: the stage whose rows cannot be read.</summary>
    [Id(11)] public string? Stage { get; init; }

    /// <summary>The device that failed; null when none did.</summary>
    [Id(12)] public string? Device { get; init; }

    /// <summary>
    /// The host did not begin, because it cannot serve the model. It says so itself until it can: nothing was lost, and nothing has to be
    /// waited out.
    /// </summary>
    [Id(13)] public bool Refuses { get; init; }

    /// <summary>The host cannot serve the model of a part.</summary>
    public static Fault Refusal(string reason) => new(FaultOwner.Host, reason) { Refuses = true };

    /// <summary>Rows of another stage cannot be read; they are computed again.</summary>
    public static Fault LostInput(string stage, RowRange rows, string reason) =>
        new(FaultOwner.Input, reason) { Stage = stage, Rows = rows };
}

/// <summary>Whose fault something is.</summary>
public enum FaultOwner
{
    /// <summary>Nobody's: a call to another grain failed, or the attempt was stopped. The rows are handed out again.</summary>
    Attempt,

    /// <summary>A row kills what computes it. Only <see cref="Blame"/> says so, of several attempts; it is given up.</summary>
    Row,

    /// <summary>One device of a host; the host's others go on.</summary>
    Device,

    /// <summary>A host: its disk, its files, all of its devices, its way to the store. It waits, and nobody else does.</summary>
    Host,

    /// <summary>Rows of another stage. They are computed again, and this stage waits for them.</summary>
    Input,

    /// <summary>The stage: every host that could take it failed, each for its own reason.</summary>
    Stage,

    /// <summary>What all hosts share: several failed, and all alike.</summary>
    Store,
}

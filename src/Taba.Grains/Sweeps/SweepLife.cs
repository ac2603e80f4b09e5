namespace Taba.Grains.Sweeps;

/// <summary>What a sweep means to do.</summary>
public enum SweepPhase
{
    /// <summary>Nobody submitted it yet.</summary>
    Unknown,

    Running,

    /// <summary>Lives, and hands out no work.</summary>
    Paused,

    Ended,
}

/// <summary>What the index and the stages have not heard yet of what a sweep means to do.</summary>
[Flags]
public enum SweepDebts
{
    None = 0,

    /// <summary>The index has to list the sweep as it is now.</summary>
    Listing = 1,

    /// <summary>Stages have to hear which rows are wanted, and to try again what they gave up.</summary>
    Demands = 2,

    /// <summary>Stages have to hear once more which rows are wanted, in case that their state was lost.</summary>
    Reminders = 4,

    /// <summary>Stages have to hear that nothing is wanted any more.</summary>
    Withdrawals = 8,
}

/// <summary>What happens to a sweep.</summary>
public enum SweepEvent
{
    /// <summary>Somebody submits it, for the first time or again, or has it retried.</summary>
    Submitted,

    /// <summary>Its grain comes up; the process that had it before may have died in the middle of anything.</summary>
    Activated,

    /// <summary>The index may not list it as it is: a database may lose what it wrote last.</summary>
    Unlisted,

    /// <summary>A stage does not know that anything is wanted of it, for the same reason.</summary>
    Forgotten,

    Paused,
    Resumed,
    Cancelled,

    /// <summary>Its stages say that nothing is left to do, or that too much failed.</summary>
    Finished,

    /// <summary>The index heard.</summary>
    Listed,

    /// <summary>Every stage heard what is wanted.</summary>
    Demanded,

    /// <summary>Every stage heard that nothing is wanted.</summary>
    Withdrawn,
}

/// <summary>
/// The life of a sweep: what it means to do, and what it owes to others for it. Pure: the grain applies events, writes the result, and
/// pays <see cref="Next"/> until nothing is owed (docs/design/grains.md has the table).
/// </summary>
/// <param name="Change">Rises with every new intent, so that what was seen or paid for an older one is recognised.</param>
public readonly record struct SweepLife(SweepPhase Phase, SweepDebts Owed, int Change = 0)
{
    /// <summary>The life that a state describes. An earlier version did not write what it owed: it may owe everything.</summary>
    public static SweepLife Of(SweepGrainState state) => state switch
    {
        { Plan: null } => default,
        { Ended: not null } => new(SweepPhase.Ended, state.Owed ?? SweepDebts.Withdrawals | SweepDebts.Listing),
        { Paused: true } => new(SweepPhase.Paused, state.Owed ?? SweepDebts.None),
        _ => new(SweepPhase.Running, state.Owed ?? SweepDebts.None),
    };

    /// <summary>It has ended, and everyone has heard.</summary>
    public bool IsOver => Phase is SweepPhase.Ended && Owed is SweepDebts.None;

    /// <summary>More may happen.</summary>
    public bool IsLive => Phase is SweepPhase.Running or SweepPhase.Paused;

    /// <summary>
    /// What to pay first. The index knows of a sweep before any stage does, and until every stage forgot it: a stage drops the demands of
    /// sweeps that the index does not list, and workers wake a listed sweep whose process died with debts.
    /// </summary>
    public SweepDebts Next => Phase is SweepPhase.Ended
        ? Owes(SweepDebts.Withdrawals) ? SweepDebts.Withdrawals : Owed & SweepDebts.Listing
        : Owes(SweepDebts.Listing) ? SweepDebts.Listing
        : Owes(SweepDebts.Demands) ? SweepDebts.Demands : Owed & SweepDebts.Reminders;

    public bool Owes(SweepDebts debts) => (Owed & debts) != SweepDebts.None;

    /// <summary>The life after an event; the same when the event means nothing to it.</summary>
    /// <param name="what">The event.</param>
    /// <param name="seen">
    /// For an event that is an observation or a payment: the life as it was when that began. It counts only while nothing new is meant.
    /// </param>
    public SweepLife After(SweepEvent what, SweepLife? seen = null) =>
        seen is { } then && then.Change != Change ? this : (Phase, what) switch
        {
            (_, SweepEvent.Submitted) => Mean(SweepPhase.Running, SweepDebts.Listing | SweepDebts.Demands),
            (SweepPhase.Running or SweepPhase.Paused, SweepEvent.Activated) =>
                Mean(Phase, Owed | SweepDebts.Listing | (Owes(SweepDebts.Demands) ? SweepDebts.None : SweepDebts.Reminders)),
            (SweepPhase.Running or SweepPhase.Paused, SweepEvent.Forgotten) when Owed is SweepDebts.None =>
                Mean(Phase, SweepDebts.Listing | SweepDebts.Reminders),
            (SweepPhase.Running or SweepPhase.Paused, SweepEvent.Unlisted) when Owed is SweepDebts.None => Mean(Phase, SweepDebts.Listing),
            (SweepPhase.Ended, SweepEvent.Unlisted) when Owed is SweepDebts.None =>
                Mean(Phase, SweepDebts.Withdrawals | SweepDebts.Listing),
            (SweepPhase.Running, SweepEvent.Paused) => Mean(SweepPhase.Paused, Owed | SweepDebts.Listing),
            (SweepPhase.Paused, SweepEvent.Resumed) => Mean(SweepPhase.Running, Owed | SweepDebts.Listing),
            (not SweepPhase.Unknown, SweepEvent.Cancelled) => Mean(SweepPhase.Ended, SweepDebts.Withdrawals | SweepDebts.Listing),
            // While stages still have to try again what they gave up, what they say is of before.
            (SweepPhase.Running or SweepPhase.Paused, SweepEvent.Finished) when !Owes(SweepDebts.Demands) =>
                Mean(SweepPhase.Ended, SweepDebts.Withdrawals | SweepDebts.Listing),
            (_, SweepEvent.Listed) => Pay(SweepDebts.Listing),
            (_, SweepEvent.Demanded) => Pay(SweepDebts.Demands | SweepDebts.Reminders),
            (_, SweepEvent.Withdrawn) => Pay(SweepDebts.Withdrawals),
            _ => this,
        };

    /// <summary>
    /// Whether the step to this life must be written: an intent always, before anybody hears of it; payments when the last one is made. To
    /// pay some of them again is harmless.
    /// </summary>
    public bool IsWorthWriting(SweepLife before, SweepGrainState written) =>
        Change != before.Change || (Owed is SweepDebts.None && written.Owed is not SweepDebts.None);

    /// <summary>A state that describes this life.</summary>
    public SweepGrainState In(SweepGrainState state) => state with
    {
        Paused = Phase is SweepPhase.Paused,
        Owed = Owed,
    };

    SweepLife Mean(SweepPhase phase, SweepDebts owed) => new(phase, owed, Change + 1);

    SweepLife Pay(SweepDebts debts) => this with { Owed = Owed & ~debts };
}

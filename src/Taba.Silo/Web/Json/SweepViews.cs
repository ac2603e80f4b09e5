namespace Taba.Silo.Web.Json;

/// <summary>A page of a list.</summary>
/// <param name="Total">Entries of the whole list.</param>
/// <param name="From">The number of the first entry here.</param>
sealed record PageView<T>(int Total, int From, IReadOnlyList<T> Entries);

/// <summary>A page of the list of sweeps.</summary>
/// <param name="Live">How many of all are not at their end; they come first.</param>
sealed record SweepsView(int Total, int Live, int From, IReadOnlyList<SweepEntryView> Entries);

/// <summary>A sweep in the list. Null is unknown.</summary>
/// <param name="Rate">Evaluations a second.</param>
/// <param name="Recovered">Parts that were lost without their worker's doing, and handed out again.</param>
sealed record SweepEntryView(
    string Id, string Name, string State, int Priority, string? User, DateTimeOffset SubmittedAt, DateTimeOffset? EndedAt,
    double? EvaluationsDone, double? EvaluationsPlanned, long? RowsFailed, double? Rate, double? SecondsLeft, long? Recovered);

/// <summary>A sweep: its stages' numbers together.</summary>
/// <param name="Version">Rises with every change.</param>
/// <param name="Troubles">What it waits for, and what takes no part in it, in sentences.</param>
/// <param name="Fault">What keeps it from going on; null when nothing does.</param>
sealed record SweepView(
    string Id, string Name, string State, int Priority, string? User, DateTimeOffset? SubmittedAt, DateTimeOffset? EndedAt, long Version,
    double EvaluationsDone, double EvaluationsPlanned, double? Rate, double? SecondsLeft, long Recovered, long RowsWanted, long RowsDone,
    long RowsReused, long RowsFailed, long RowsLeased, int PartsLeased, int Stages, int Runs, IReadOnlyList<string> Troubles,
    string? Fault);

/// <summary>A stage, as the sweep sees it.</summary>
/// <param name="State">done, running, waiting, failed (all that is left is given up) or silent.</param>
/// <param name="Waits">Why rows of it are neither done nor out; null when none are.</param>
/// <param name="Strip">Its wanted rows in cells: wanted, done, running, given up.</param>
sealed record StageView(
    string Key, string Name, string Kind, string? Model, int NumInferenceSteps, int RowsWanted, int RowsDone, int RowsReused,
    int RowsFailed, int RowsLeased, int RowsReady, int PartsLeased, double EvaluationsPlanned, double EvaluationsDone, string State,
    WaitView? Waits, IReadOnlyList<PauseView> Pauses, IReadOnlyList<RefusalView> Refusals, IReadOnlyList<int[]> Strip);

/// <summary>Why something waits.</summary>
/// <param name="Kind">For programs.</param>
/// <param name="Text">For people: a sentence.</param>
sealed record WaitView(string Kind, string Text);

/// <summary>A host that failed at a stage.</summary>
/// <param name="SecondsLeft">Until it is asked again; null when only a submission ends it.</param>
sealed record PauseView(string Host, string Reason, int Failures, double? SecondsLeft);

/// <summary>A silo that cannot serve a model.</summary>
sealed record RefusalView(string Silo, string Reason);

/// <summary>Where the rows of a stage are.</summary>
/// <param name="Rows">The first wanted row, and the one after the last.</param>
sealed record PartsView(int[] Rows, IReadOnlyList<int[]> Strip, int LeasesTotal, IReadOnlyList<PartView> Leases);

/// <summary>A part that is out.</summary>
/// <param name="Alone">Its rows are suspect: its worker has nothing else in hand.</param>
sealed record PartView(
    int[] Rows, string Host, string Worker, double SecondsOut, double SecondsSinceProgress, double EvaluationsDone,
    double EvaluationsPlanned, bool Alone);

/// <summary>A run: what one combination of settings gives.</summary>
/// <param name="Intervention">Null for the plain run.</param>
/// <param name="Metrics">Numbers of its folder, once that is written; null before.</param>
sealed record RunView(
    string Slug, IReadOnlyDictionary<string, string> Axes, string? Intervention, int[] Rows, IReadOnlyList<PicturesView> Pictures,
    IReadOnlyDictionary<string, double>? Metrics);

/// <summary>A tensor of a run that can be looked at.</summary>
/// <param name="Stage">The stage whose rows these are.</param>
/// <param name="Done">How many of the run's rows are published.</param>
sealed record PicturesView(string Name, string Title, string Stage, int Done);

/// <summary>Samples that were given up.</summary>
/// <param name="Entries">The first of each stage and reason, in words.</param>
/// <param name="Ranges">All of them, by stage and kind.</param>
sealed record FailuresView(int Total, int From, IReadOnlyList<FailureView> Entries, IReadOnlyList<FailedRangesView> Ranges);

/// <summary>A sample that was given up.</summary>
sealed record FailureView(string Stage, string StageName, int Sample, int Step, string Kind, string Reason);

/// <summary>Rows of a stage that were given up for one kind of reason; the first ranges of them.</summary>
sealed record FailedRangesView(string Stage, string StageName, string Kind, int Count, IReadOnlyList<int[]> Rows);

/// <summary>Something that happened to a sweep.</summary>
sealed record EventView(DateTimeOffset At, string Kind, string Text, string? By);

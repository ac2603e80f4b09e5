namespace Taba.Silo.Web.Json;

/// <summary>A page of a list.</summary>
/// <param name="Total">Entries of the whole list.</param>
/// <param name="From">The number of the first entry here.</param>
sealed record PageView<T>(int Total, int From, IReadOnlyList<T> Entries);

/// <summary>A page of the list of sweeps.</summary>
/// <param name="Live">How many of all are not at their end; they come first.</param>
sealed record SweepsView(int Total, int Live, int From, IReadOnlyList<SweepEntryView> Entries);

/// <summary>A sweep in the list.</summary>
sealed record SweepEntryView(
    string Id, string Name, string State, int Priority, DateTimeOffset SubmittedAt, DateTimeOffset? EndedAt);

/// <summary>A sweep: its stages' numbers together.</summary>
/// <param name="Version">Rises with every change.</param>
/// <param name="Fault">What keeps it from going on; null when nothing does.</param>
sealed record SweepView(
    string Id, string Name, string State, long Version, string? Fault, int Stages, long RowsWanted, long RowsDone, long RowsReused,
    long RowsFailed, long RowsLeased, int PartsLeased, double EvaluationsPlanned, double EvaluationsDone);

/// <summary>A stage, as the sweep sees it.</summary>
/// <param name="Refusals">Silos that cannot serve its model, and why.</param>
sealed record StageView(
    string Key, string Kind, string? Model, int RowsWanted, int RowsDone, int RowsReused, int RowsFailed, int RowsLeased, int PartsLeased,
    double EvaluationsPlanned, double EvaluationsDone, string? Fault, IReadOnlyList<string> Refusals);

/// <summary>A silo.</summary>
sealed record SiloView(
    string Name, string Address, string Role, string DeviceKind, long DeviceMemoryBytes, int BatchSize, int Devices, string? Build,
    int? Numerics);

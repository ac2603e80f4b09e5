using System.Collections.Immutable;

namespace Taba.Grains.Sweeps;

/// <summary>How far a sweep is, as it tells the index every two seconds while that changes.</summary>
/// <param name="Version">The version of the status that it was taken from: what is older than what was heard is left aside.</param>
/// <param name="EvaluationsDone">Evaluations behind published rows and running steps.</param>
/// <param name="RowsFailed">Samples that were given up, over all stages.</param>
/// <param name="Rate">Evaluations a second; null while unknown.</param>
/// <param name="Left">Time left; null while unknown.</param>
/// <param name="Recovered">Parts that were lost without their worker's doing, and handed out again.</param>
[GenerateSerializer, Immutable, Alias("taba.SweepProgress")]
public sealed record SweepProgress(
    string SweepId, long Version, double EvaluationsDone, double EvaluationsPlanned, long RowsFailed, double? Rate, TimeSpan? Left,
    long Recovered);

/// <summary>Some of the sweeps of a cluster.</summary>
/// <param name="Total">How many there are, live ones and those that ended last.</param>
/// <param name="Live">How many of them live.</param>
/// <param name="Entries">Live ones first, then those that ended last; the newest first.</param>
[GenerateSerializer, Immutable, Alias("taba.SweepPage")]
public sealed record SweepPage(int Total, int Live, ImmutableArray<SweepEntry> Entries)
{
    /// <summary>The most entries of one answer.</summary>
    public const int MostEntries = 500;
}

using System.Collections.Immutable;
using Taba.Grains.Faults;
using Taba.Grains.Stages;

namespace Taba.Grains.Sweeps;

/// <summary>The states of a sweep.</summary>
public enum SweepState
{
    Running,
    Completed,

    /// <summary>Everything that could be computed was; some samples failed and are named.</summary>
    CompletedWithFailures,

    /// <summary>A store or disk failed on the way; the same command continues.</summary>
    Faulted,
    Cancelled,

    /// <summary>Hands out no work until it is resumed.</summary>
    Paused,

    /// <summary>As many samples failed as its policy allows; <c>retry</c> goes on.</summary>
    Stopped,
}

/// <summary>The meaning of states.</summary>
public static class SweepStates
{
    /// <summary>More may happen without anybody's doing, or when it is resumed.</summary>
    public static bool IsLive(this SweepState state) => state is SweepState.Running or SweepState.Paused;
}

/// <summary>A snapshot of a sweep.</summary>
/// <param name="Version">Rises with every change; the cursor of a watcher.</param>
[GenerateSerializer, Immutable, Alias("taba.SweepStatus")]
public sealed record SweepStatus(string SweepId, long Version, SweepState State, ImmutableArray<StageStatus> Stages, string? Fault)
{
    /// <summary>Evaluations behind published rows and running steps.</summary>
    public double EvaluationsDone => Stages.Sum(s => s.EvaluationsDone);

    public double EvaluationsPlanned => Stages.Sum(s => s.EvaluationsPlanned);

    /// <summary>The first failures of each stage in words.</summary>
    public ImmutableArray<SampleFailure> Failures => [.. Stages.SelectMany(s => s.Failures)];

    /// <summary>Samples that failed, over all stages.</summary>
    public long SamplesFailed => Stages.Sum(s => (long)s.RowsFailed);

    /// <summary>Silos that cannot serve a model of the sweep.</summary>
    public ImmutableArray<ModelRefusal> Refusals => [.. Stages.SelectMany(s => s.Refusals).Distinct()];

    /// <summary>Hosts that failed at a stage of the sweep and get nothing of it for a while; nobody else waits.</summary>
    public ImmutableArray<HostPause> Pauses =>
        [.. Stages.SelectMany(s => s.Pauses).GroupBy(p => p.Host).Select(g => g.MaxBy(p => p.Failures)!)];

    /// <summary>
    /// Rows that stand under another stage's key, because they, or a row that they begin with, were computed in a higher precision.
    /// </summary>
    [Id(10)] public ImmutableArray<RowSubstitution> Substitutions { get; init; } = [];

    /// <summary>Evaluations a second, as the sweep measures them; null while unknown.</summary>
    [Id(20)] public double? Rate { get; init; }

    /// <summary>Time left; zero when nothing is left to do, null while unknown.</summary>
    [Id(21)] public TimeSpan? Left { get; init; }

    /// <summary>When it was submitted; null from a version that did not say.</summary>
    [Id(22)] public DateTimeOffset? SubmittedAt { get; init; }

    /// <summary>Who submitted it; null when they did not say.</summary>
    [Id(23)] public string? User { get; init; }

    /// <summary>Parts that were lost without their worker's doing, and handed out again.</summary>
    public long Recovered => Stages.Sum(s => (long)s.PartsLost);

    /// <summary>When it ended; null while it lives.</summary>
    [Id(24)] public DateTimeOffset? EndedAt { get; init; }

    /// <summary>What happened to it last, the oldest first: at most <see cref="MostNews"/> entries of its log.</summary>
    [Id(25)] public ImmutableArray<SweepLogEntry> News { get => field.IsDefault ? [] : field; init; } = [];

    public const int MostNews = 8;

    /// <summary>Done evaluations over planned ones, 0 .. 1; a sweep without work left is done.</summary>
    public double Fraction => EvaluationsPlanned <= 0 ? 1 : Math.Clamp(EvaluationsDone / EvaluationsPlanned, 0, 1);

    /// <summary>How far it is, for the list.</summary>
    public SweepProgress Progress => new(
        SweepId, Version, EvaluationsDone, EvaluationsPlanned, SamplesFailed, Rate, Left, Recovered);
}

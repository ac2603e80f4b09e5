using System.Collections.Immutable;

namespace Taba.Grains.Sweeps;

/// <summary>The durable state of a sweep.</summary>
[GenerateSerializer, Alias("taba.SweepGrainState")]
public sealed record SweepGrainState
{
    [Id(0)] public int Schema { get; init; } = 1;

    [Id(1)] public SweepPlan? Plan { get; init; }

    /// <summary>The state in which it ended; null while it lives.</summary>
    [Id(2)] public SweepState? Ended { get; init; }

    /// <summary>The last status, written when it ended: its stages forget it then.</summary>
    [Id(3)] public SweepStatus? Final { get; init; }

    /// <summary>Hands out no work until resumed.</summary>
    [Id(4)] public bool Paused { get; init; }

    /// <summary>The span of its submission, which its stages descend from; null when nobody traces.</summary>
    [Id(5)] public string? TraceParent { get; init; }

    /// <summary>What others have not heard yet of all this; null when an earlier version wrote the state, which did not say.</summary>
    [Id(6)] public SweepDebts? Owed { get; init; }

    /// <summary>
    /// Stages beyond the plan's that may hold a demand of this sweep: those that stand in for planned ones in a higher precision, and those
    /// of a plan of before. Written before they are asked; kept after they forgot it, because their states are cleared with its own.
    /// </summary>
    [Id(7)] public ImmutableArray<string> Elsewhere { get => field.IsDefault ? [] : field; init; } = [];

    /// <summary>Counts submissions. What a stage says of an earlier one is not of this one: what had failed then is tried again.</summary>
    [Id(8)] public int Submission { get; init; }

    /// <summary>What happened to it, the oldest first.</summary>
    [Id(9)] public ImmutableArray<SweepLogEntry> Log { get => field.IsDefault ? [] : field; init; } = [];

    /// <summary>What the log has of its stages.</summary>
    [Id(10)] public ImmutableArray<StageSeen> Seen { get => field.IsDefault ? [] : field; init; } = [];

    /// <summary>When it was submitted; later submissions while it lives change nothing.</summary>
    [Id(11)] public DateTimeOffset? SubmittedAt { get; init; }

    /// <summary>Who submitted it; null when they did not say.</summary>
    [Id(12)] public string? User { get; init; }

    /// <summary>Evaluations a second when this was written; null while unknown. The next activation begins with it.</summary>
    [Id(13)] public double? Rate { get; init; }
}

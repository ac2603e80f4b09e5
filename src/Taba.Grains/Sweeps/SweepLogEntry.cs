using Taba.Grains.Stages;

namespace Taba.Grains.Sweeps;

/// <summary>What happened to a sweep; <c>LogText</c> has the words.</summary>
/// <param name="At">When its grain learned of it.</param>
/// <param name="By">Who did it; null where nobody did, or they did not say.</param>
[GenerateSerializer, Immutable, Alias("taba.SweepLogEntry")]
public sealed record SweepLogEntry(DateTimeOffset At, SweepLogKind Kind, string? By = null)
{
    /// <summary>The most characters of a reason that are kept.</summary>
    public const int MostCharacters = 300;

    /// <summary>The key of the stage that it is about; null when it is about several, or the sweep.</summary>
    [Id(10)] public string? Stage { get; init; }

    /// <summary>The stage's name among those of the sweep.</summary>
    [Id(11)] public string? StageName { get; init; }

    /// <summary>The host that it is about; null when it is about none.</summary>
    [Id(12)] public string? Host { get; init; }

    /// <summary>Samples given up, parts lost, rows done; 0 where nothing is counted.</summary>
    [Id(13)] public long Count { get; init; }

    /// <summary>Evaluations behind parts that were lost.</summary>
    [Id(14)] public double Evaluations { get; init; }

    /// <summary>Why, in the words of whoever found it; null where nothing went wrong.</summary>
    [Id(15)]
    public string? Reason
    {
        get;
        init => field = value is { Length: > MostCharacters } ? $"{value[..(MostCharacters - 4)]} ..." : value;
    }

    /// <summary>How it ended; null while it lives.</summary>
    [Id(16)] public SweepState? State { get; init; }

    /// <summary>How parts were lost; null where none were.</summary>
    [Id(17)] public LeaseEnd? How { get; init; }
}

/// <summary>The kinds of what happens to a sweep.</summary>
public enum SweepLogKind
{
    /// <summary>Somebody submitted it, for the first time or again.</summary>
    Submitted,
    Paused,
    Resumed,
    Cancelled,

    /// <summary>Somebody has what failed tried again.</summary>
    Retried,

    /// <summary>A host failed at a stage, and gets nothing of it for a while.</summary>
    HostFailed,

    /// <summary>A host that had failed at a stage works on it again.</summary>
    HostWorks,

    /// <summary>Samples were given up.</summary>
    GivenUp,

    /// <summary>Parts were lost without their worker's doing, and are handed out again.</summary>
    Lost,

    /// <summary>A stage does not answer.</summary>
    Silent,

    /// <summary>A stage that was silent answers.</summary>
    Answers,

    /// <summary>A silo cannot serve the model of a stage.</summary>
    Refused,

    /// <summary>All rows of a stage are there.</summary>
    StageDone,

    /// <summary>Nothing goes on, and is tried again.</summary>
    Stuck,

    /// <summary>The sweep ended.</summary>
    Ended,
}

namespace Taba.Chaos;

/// <summary>A cluster, two sweeps, and something that goes wrong while they run.</summary>
/// <param name="Name">How it is asked for.</param>
/// <param name="What">What goes wrong, for the table.</param>
/// <param name="RunAsync">Runs it to its end.</param>
sealed record Scenario(string Name, string What, Func<Random, Task<ScenarioResult>> RunAsync);

/// <summary>How a scenario ended.</summary>
/// <param name="Faults">What is wrong with it, a sentence each; empty when all promises were kept.</param>
sealed record ScenarioResult(IReadOnlyList<string> Faults)
{
    /// <summary>From the first client's start to the last one's end.</summary>
    public TimeSpan Wall { get; init; }

    /// <summary>When each sweep's client ended, by the sweep's name.</summary>
    public IReadOnlyDictionary<string, SweepEnd> Ends { get; init; } = new Dictionary<string, SweepEnd>();

    /// <summary>Evaluations that an undisturbed run makes; 0 when not counted.</summary>
    public long Planned { get; init; }

    /// <summary>Evaluations that were made.</summary>
    public long Made { get; init; }

    /// <summary>The most steps on end that a silo made of a sample which had been made before.</summary>
    public int LongestRepeat { get; init; }

    /// <summary>For each disturbance the time until another silo went on with a sample of the victim.</summary>
    public IReadOnlyList<TimeSpan> Recoveries { get; init; } = [];

    /// <summary>The longest time in which no silo evaluated anything.</summary>
    public TimeSpan Silence { get; init; }

    /// <summary>Anything else to know, a sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>The end of a sweep's client.</summary>
/// <param name="Wall">From the first client's start.</param>
/// <param name="Evaluations">What the cluster had made by then, for whomever: a measure that does not depend on the machine's load.</param>
readonly record struct SweepEnd(TimeSpan Wall, int Evaluations);

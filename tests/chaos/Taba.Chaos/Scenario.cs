namespace Taba.Chaos;

/// <summary>A cluster, a sweep, and something that goes wrong while it runs.</summary>
/// <param name="Name">How it is asked for.</param>
/// <param name="What">What goes wrong, for the table.</param>
/// <param name="RunAsync">Runs it to its end.</param>
sealed record Scenario(string Name, string What, Func<Random, Task<ScenarioResult>> RunAsync);

/// <summary>How a scenario ended.</summary>
/// <param name="Faults">What is wrong with it, a sentence each; empty when all promises were kept.</param>
/// <param name="Wall">From the client's start to its end.</param>
/// <param name="Planned">Evaluations that an undisturbed run makes; 0 when not counted.</param>
/// <param name="Made">Evaluations that were made.</param>
/// <param name="LongestRepeat">The most steps on end that a silo made of a sample which had been made before.</param>
/// <param name="Recoveries">For each disturbance the time until another silo went on with a sample of the victim.</param>
/// <param name="Note">Anything else to know.</param>
sealed record ScenarioResult(
    IReadOnlyList<string> Faults, TimeSpan Wall, long Planned, long Made, int LongestRepeat, IReadOnlyList<TimeSpan> Recoveries,
    string Note = "");

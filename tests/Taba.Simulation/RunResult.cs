using System.Text;
using Taba.Simulation.Scheduling;

namespace Taba.Simulation;

/// <summary>What became of a run.</summary>
sealed record RunResult(ulong Seed, string Scenario, Violation? Broken, Trace Trace, TimeSpan Elapsed, long Steps, string? Ended)
{
    /// <summary>The failure in words, with the last events of another run of the same seed.</summary>
    public string Describe(int events = 50)
    {
        var again = SimRun.Of(Scenarios.Scenarios.Of(Scenario), Seed, records: true);
        var text = new StringBuilder();
        text.AppendLine($"Seed {Seed} of scenario {Scenario} breaks '{Broken?.Invariant}': {Broken?.Detail}");
        text.AppendLine($"after {Elapsed.TotalSeconds:F1} s and {Steps} steps; the last {events} events:");
        foreach (var line in again.Trace.Lines.TakeLast(events))
            text.AppendLine(line);
        if (again.Trace.Digest != Trace.Digest)
            text.AppendLine("The second run went another way: something is not of the seed.");
        return text.ToString();
    }
}

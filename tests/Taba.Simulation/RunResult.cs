using System.Text;
using Taba.Simulation.Scheduling;

namespace Taba.Simulation;

/// <summary>What became of a run.</summary>
sealed record RunResult(ulong Seed, string Scenario, Violation? Broken, Trace Trace, TimeSpan Elapsed, long Steps, TimeSpan? Ended)
{
    /// <summary>Until a bad machine is known for what it is.</summary>
    static readonly TimeSpan s_learning = TimeSpan.FromSeconds(30);

    /// <summary>The same, broken when it took much longer than another run, which did without a machine that this one had.</summary>
    public RunResult NotMuchSlowerThan(RunResult without, World world)
    {
        if (Ended is not { } mine || without.Ended is not { } theirs || mine <= theirs / 0.9 + s_learning)
            return this;
        world.Break(
            "a bad machine costs nobody else's work",
            $"all sweeps ended after {mine.TotalSeconds:F0} s, and without the machine after {theirs.TotalSeconds:F0} s");
        return this with { Broken = world.Broken };
    }

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

using System.Globalization;
using Taba.Simulation.Scenarios;

namespace Taba.Simulation;

/// <summary>Runs of the fast tier: some seeds of every family that holds, and all those that once found something.</summary>
public sealed class SeedTests
{
    public static TheoryData<string> Holding => [.. Scenarios.Scenarios.All.Where(s => s.WaitsFor is null).Select(s => s.Name)];

    [Theory]
    [MemberData(nameof(Holding))]
    public void Simulation_SeedsOfAScenario_KeepEveryInvariant(string name)
    {
        var scenario = Scenarios.Scenarios.Of(name);
        var broken = new List<RunResult>();
        Parallel.For(0, scenario.SeedsInTests, new() { MaxDegreeOfParallelism = 2 }, seed =>
        {
            var result = SimRun.Of(scenario, (ulong)seed);
            if (result.Broken is not null)
            {
                lock (broken)
                    broken.Add(result);
            }
        });
        if (broken.MinBy(r => r.Seed) is { } first)
            Assert.Fail($"{broken.Count} of {scenario.SeedsInTests} seeds are broken. {first.Describe()}");
    }

    [Fact]
    public void Simulation_SeedsThatOnceFoundSomething_KeepEveryInvariant()
    {
        foreach (var (seed, name, found) in KeptSeeds())
        {
            var scenario = Scenarios.Scenarios.Of(name);
            if (scenario.WaitsFor is null && SimRun.Of(scenario, seed) is { Broken: not null } result)
                Assert.Fail($"It found once: {found}. {result.Describe()}");
        }
    }

    [Theory]
    [InlineData("calm")]
    [InlineData("kills")]
    [InlineData("everything")]
    public void Simulation_SameSeed_GivesTheSameTrace(string scenario)
    {
        for (ulong seed = 1000; seed < 1003; seed++)
        {
            var (first, second) = (
                SimRun.Of(Scenarios.Scenarios.Of(scenario), seed), SimRun.Of(Scenarios.Scenarios.Of(scenario), seed, records: true));
            Assert.Equal((first.Trace.Digest, first.Steps, first.Elapsed), (second.Trace.Digest, second.Steps, second.Elapsed));
            Assert.True(first.Trace.Events > 50, $"only {first.Trace.Events} events");
        }
    }

    [Fact]
    public void Simulation_OtherSeed_GivesAnotherTrace() => Assert.NotEqual(
        SimRun.Of(Scenarios.Scenarios.Of("calm"), 1).Trace.Digest, SimRun.Of(Scenarios.Scenarios.Of("calm"), 2).Trace.Digest);

    [Fact]
    public void KeptSeeds_Scenarios_Exist() => Assert.All(KeptSeeds(), k => Scenarios.Scenarios.Of(k.Scenario));

    static IEnumerable<(ulong Seed, string Scenario, string Found)> KeptSeeds() =>
        File.ReadLines(Path.Combine(AppContext.BaseDirectory, "seeds.txt"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .Select(fields => (ulong.Parse(fields[0], CultureInfo.InvariantCulture), fields[1], fields[2]));
}

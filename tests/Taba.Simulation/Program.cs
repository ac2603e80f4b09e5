using System.Diagnostics;
using Taba.Simulation.Scenarios;

namespace Taba.Simulation;

/// <summary>Runs seeds by hand; without words of its own it runs the tests.</summary>
static class Program
{
    const string Usage = """
        --seeds N          how many seeds of each scenario
        --from N           the first seed
        --scenario NAME    only this one
        --trace SEED       all events of one seed of a scenario
        --calls            with every call, in a trace
        --all              scenarios too that do not hold yet
        """;

    static int Main(string[] args)
    {
        if (args.Contains("--server") || args.Contains("--internal-msbuild-node"))
            return Xunit.MicrosoftTestingPlatform.TestPlatformTestFramework.RunAsync(
                args, SelfRegisteredExtensions.AddSelfRegisteredExtensions).GetAwaiter().GetResult();
        if (!args.Contains("--seeds") && !args.Contains("--trace"))
            return Xunit.Runner.InProc.SystemConsole.ConsoleRunner.Run(args).GetAwaiter().GetResult();
        try
        {
            return Run(args);
        }
        catch (BadInputException exception)
        {
            Console.Error.WriteLine($"{exception.Message}\n{Usage}");
            return 2;
        }
    }

    static int Run(string[] args)
    {
        var scenarios = Value("--scenario") is { } name
            ? [Scenarios.Scenarios.Of(name)]
            : Scenarios.Scenarios.All.Where(s => s.WaitsFor is null || args.Contains("--all")).ToList();
        if (Value("--trace") is not null)
        {
            Scheduling.Trace.WithCalls = args.Contains("--calls");
            var result = SimRun.Of(scenarios[0], Number("--trace", 0), records: true);
            foreach (var line in result.Trace.Lines)
                Console.WriteLine(line);
            Console.WriteLine($"{result.Elapsed.TotalSeconds:F1} s, {result.Steps} steps, trace {result.Trace.Digest:x16}: "
                + $"{result.Broken?.ToString() ?? "holds"}");
            return result.Broken is null ? 0 : 1;
        }
        var (from, seeds) = (Number("--from", 0), Number("--seeds", 100));
        var broken = 0;
        foreach (var scenario in scenarios)
        {
            var clock = Stopwatch.StartNew();
            var kinds = new SortedDictionary<string, List<ulong>>(StringComparer.Ordinal);
            var (virtualTime, steps) = (0.0, 0L);
            Parallel.For((long)from, (long)(from + seeds), new() { MaxDegreeOfParallelism = 2 }, seed =>
            {
                var result = SimRun.Of(scenario, (ulong)seed);
                lock (kinds)
                {
                    virtualTime += result.Elapsed.TotalSeconds;
                    steps += result.Steps;
                    if (result.Broken is not { } violation)
                        return;
                    if (!kinds.TryGetValue(violation.Invariant, out var list))
                    {
                        kinds[violation.Invariant] = list = [];
                        Console.WriteLine(result.Describe());
                    }
                    list.Add((ulong)seed);
                }
            });
            broken += kinds.Values.Sum(k => k.Count);
            Console.WriteLine($"{scenario.Name}: {seeds} seeds in {clock.Elapsed.TotalSeconds:F1} s "
                + $"({virtualTime / 3600:F1} h of the cluster, {steps} steps), {kinds.Values.Sum(k => k.Count)} broken");
            foreach (var (kind, list) in kinds)
                Console.WriteLine($"  {list.Count} x '{kind}': {string.Join(' ', list.Order().Take(20))}");
        }
        return broken == 0 ? 0 : 1;

        string? Value(string flag) => Array.IndexOf(args, flag) is >= 0 and var at && at + 1 < args.Length ? args[at + 1] : null;

        ulong Number(string flag, ulong otherwise) => Value(flag) is not { } text
            ? otherwise
            : ulong.TryParse(text, out var number) ? number : throw new BadInputException($"{flag} is '{text}' and not a number.");
    }
}

using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Taba.Chaos;
using Taba.Chaos.Scenarios;

var names = new Argument<string[]>("scenario") { Description = "Which to run; all when none is named.", Arity = ArgumentArity.ZeroOrMore };
var seed = new Option<int>("--seed") { Description = "Where random moments and victims come from.", DefaultValueFactory = _ => 420 };
var list = new Option<bool>("--list") { Description = "Names the scenarios and runs none." };
var root = new RootCommand(
    "Disturbs real clusters on real servers and says what became of the work. The table goes to standard output.") { names, seed, list };
root.SetAction(async (parsed, cancellationToken) =>
{
    var known = AllScenarios.Of();
    var wanted = parsed.GetValue(names) ?? [];
    if (wanted.FirstOrDefault(n => known.All(s => s.Name != n)) is { } unknown)
    {
        await Console.Error.WriteLineAsync($"There is no scenario {unknown}; there are {string.Join(", ", known.Select(s => s.Name))}.");
        return 2;
    }
    if (parsed.GetValue(list))
    {
        foreach (var scenario in known)
            Console.WriteLine($"{scenario.Name}: {scenario.What}");
        return 0;
    }
    Console.WriteLine(
        "| scenario | what happens | wall, s | evaluations (planned) | repeated on end | recovery, s | longest silence, s | files |");
    Console.WriteLine("|---|---|---|---|---|---|---|---|");
    var failed = false;
    foreach (var scenario in known.Where(s => wanted.Length == 0 || wanted.Contains(s.Name)))
    {
        ScenarioResult result;
        try
        {
            result = await scenario.RunAsync(new Random(parsed.GetValue(seed)));
        }
        catch (Exception exception) when (exception is TimeoutException or InvalidOperationException or IOException or JsonException)
        {
            result = new([exception.ToString()]);
        }
        failed |= result.Faults.Count > 0;
        Console.WriteLine(Row(scenario, result));
        foreach (var (sweep, end) in result.Ends)
            await Console.Error.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{scenario.Name}: {sweep} ended after {end.Wall.TotalSeconds:F0} s and {end.Evaluations:N0} evaluations"));
        foreach (var sentence in result.Notes.Concat(result.Faults.Take(20).Select(f => $"FAULT: {f}")))
            await Console.Error.WriteLineAsync($"{scenario.Name}: {sentence}");
    }
    return failed ? 1 : 0;
});
return await root.Parse(args).InvokeAsync();

static string Row(Scenario scenario, ScenarioResult result)
{
    var recovery = result.Recoveries.Count == 0 ? "" : string.Create(
        CultureInfo.InvariantCulture,
        $"{result.Recoveries.Min().TotalSeconds:F1} to {result.Recoveries.Max().TotalSeconds:F1} ({result.Recoveries.Count})");
    return string.Create(
        CultureInfo.InvariantCulture,
        $"| {scenario.Name} | {scenario.What} | {result.Wall.TotalSeconds:F0} | {result.Made:N0} ({result.Planned:N0}) | "
        + $"{result.LongestRepeat} steps | {recovery} | {result.Silence.TotalSeconds:F1} | "
        + $"{(result.Faults.Count == 0 ? "equal" : $"FAILED: {result.Faults.Count} faults")} |");
}

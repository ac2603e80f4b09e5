using System.Text.Json.Nodes;

namespace Taba.Bench;

/// <summary>
/// Runs a sweep by the real command as it is and with overrides, alternately, each time into an empty folder: what a change means for the
/// wall time of whole runs, start-up, files and report included.
/// </summary>
/// <param name="sweep">A sweep file.</param>
/// <param name="against">Overrides (<c>key=value</c>) of the other side.</param>
/// <param name="rounds">Runs of each.</param>
sealed class RunsBench(string sweep, string[] against, int rounds)
{
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        WriteHead();
        var (plain, changed) = (new List<double>(), new List<double>());
        for (var round = 0; round < rounds; round++)
        {
            // Neither is always the one that finds the machine as the other left it.
            foreach (var other in round % 2 == 0 ? new[] { true, false } : [false, true])
                (other ? changed : plain).Add(await OnceAsync(other ? against : [], cancellationToken));
        }
        Console.WriteLine();
        Console.WriteLine(
            $"{string.Join(' ', against)} over as it is: "
            + $"ratio of medians {Spread.Of(changed).Median / Spread.Of(plain).Median:F3}; by round "
            + string.Join(", ", changed.Zip(plain, (c, p) => $"{c / p:F3}")));
        return 0;
    }

    public static void WriteHead()
    {
        string[] columns =
        [
            "run", "wall, s", "evaluations", "first to last, s", "busy with networks", "models loaded", "folders and report, s",
        ];
        Console.WriteLine($"| {string.Join(" | ", columns)} |");
        Console.WriteLine($"|{string.Concat(columns.Select(_ => "---|"))}");
    }

    async Task<double> OnceAsync(string[] overrides, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("taba-bench-").FullName;
        try
        {
            var (seconds, last) = await RealRun.DoneAsync(
                cancellationToken, ["run", sweep, .. overrides, "--out", Path.Combine(folder, "out")]);
            Console.WriteLine(Row(overrides.Length == 0 ? "as it is" : string.Join(' ', overrides), seconds, last));
            return seconds;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A line of the table, of the last line of a run's output.</summary>
    public static string Row(string name, double seconds, JsonNode last)
    {
        var devices = last["devices"]!.AsArray().Select(d => d!).ToList();
        return $"| {name} | {seconds:F1} | {(double)last["evaluations"]!:N0} "
            + $"| {string.Join(", ", devices.Select(d => $"{(double)d["seconds"]!:F1}"))} "
            + $"| {string.Join(", ", devices.Select(d => $"{(double)d["busy_seconds"]! / (double)d["seconds"]!:P1}"))} "
            + $"| {devices.Sum(d => (int)d["model_loads"]!)} | {(double)last["seconds_writing"]!:F1} |";
    }
}

using System.Diagnostics;
using Taba.Testing;

namespace Taba.Monitoring.Tests;

/// <summary>The checker that comes with Prometheus.</summary>
static class Promtool
{
    static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    /// <summary>Skips the test where the program is not installed; with CI=true it fails.</summary>
    public static void Here()
    {
        var found = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
            .Any(p => p.Length > 0 && File.Exists(Path.Combine(p, "promtool")));
        if (!found && Environment.GetEnvironmentVariable("CI") == "true")
            Assert.Fail("promtool is missing (Debian: prometheus), which CI must have: test.sh installs it.");
        Assert.SkipUnless(found, "promtool is missing (Debian: prometheus): test.sh installs it.");
    }

    /// <summary>What it says, and its exit status.</summary>
    public static async Task<(int Status, string Said)> RunAsync(params IEnumerable<string> arguments)
    {
        Needs.AProcess("promtool");
        Here();
        using var process = Process.Start(
            new ProcessStartInfo("promtool", arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        using var limit = new CancellationTokenSource(s_limit);
        var output = process.StandardOutput.ReadToEndAsync(limit.Token);
        var errors = process.StandardError.ReadToEndAsync(limit.Token);
        try
        {
            await process.WaitForExitAsync(limit.Token);
            return (process.ExitCode, await output + await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"promtool {string.Join(' ', arguments)} took longer than {s_limit}.");
        }
    }

    /// <summary>Checks rules that are written down for this; each has an expression and is named by its place in the list.</summary>
    public static Task<(int Status, string Said)> CheckExpressionsAsync(IEnumerable<string> expressions) => RunFileAsync(
        "check",
        [
            "groups:", "  - name: expressions", "    rules:",
            .. expressions.SelectMany((expression, index) => new[]
            {
                $"      - record: expression_{index}", $"        expr: {Quoted(expression)}",
            }),
        ]);

    /// <summary>Has each expression computed over half an hour of series that rise; it must have an answer, whatever that is.</summary>
    public static Task<(int Status, string Said)> AnswerAsync(IEnumerable<string> series, IEnumerable<string> expressions) => RunFileAsync(
        "test",
        [
            "evaluation_interval: 1m", "tests:", "  - interval: 1m", "    input_series:",
            .. series.SelectMany(s => new[] { $"      - series: {Quoted(s)}", "        values: 0+40x30" }),
            "    promql_expr_test:",
            .. expressions.SelectMany(e => new[]
            {
                $"      - expr: {Quoted($"count({e}) > bool 0")}", "        eval_time: 30m",
                "        exp_samples: [{labels: '{}', value: 1}]",
            }),
        ]);

    static async Task<(int Status, string Said)> RunFileAsync(string command, string[] lines)
    {
        using var folder = new TempFolder();
        return await RunAsync(command, "rules", folder.Write("rules.yaml", string.Join('\n', lines)));
    }

    static string Quoted(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";
}

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
    public static async Task<(int Status, string Said)> CheckExpressionsAsync(IEnumerable<string> expressions)
    {
        var file = Path.Combine(Path.GetTempPath(), $"taba-rules-{Guid.NewGuid():N}.yaml");
        try
        {
            await File.WriteAllLinesAsync(
                file,
                [
                    "groups:", "  - name: expressions", "    rules:",
                    .. expressions.SelectMany((expression, index) => new[]
                    {
                        $"      - record: expression_{index}", $"        expr: '{expression.Replace("'", "''", StringComparison.Ordinal)}'",
                    }),
                ]);
            return await RunAsync("check", "rules", file);
        }
        finally
        {
            File.Delete(file);
        }
    }
}

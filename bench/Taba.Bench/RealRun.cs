using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Taba.Bench;

/// <summary>The real command, in a process of its own.</summary>
static class RealRun
{
    /// <summary>How the command is started that was built with this program.</summary>
    public static ProcessStartInfo Start(params IEnumerable<string> arguments) => new(
        "dotnet", [Path.Combine(AppContext.BaseDirectory, "taba.dll"), .. arguments])
    {
        RedirectStandardOutput = true, RedirectStandardError = true,
    };

    /// <summary>Runs it with <c>--json</c> to its end.</summary>
    /// <returns>Seconds, and the last line of its output.</returns>
    /// <exception cref="InvalidOperationException">It ended with another status than 0.</exception>
    public static async Task<(double Seconds, JsonNode Last)> DoneAsync(
        CancellationToken cancellationToken, params IEnumerable<string> arguments)
    {
        var clock = Stopwatch.StartNew();
        using var process = Process.Start(Start([.. arguments, "--json"]))!;
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            var seconds = clock.Elapsed.TotalSeconds;
            return process.ExitCode == 0
                ? (seconds, JsonNode.Parse((await output).TrimEnd().Split('\n')[^1])!)
                : throw new InvalidOperationException($"taba ended with status {process.ExitCode}: {await errors}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }
}

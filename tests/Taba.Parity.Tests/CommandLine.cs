using System.Diagnostics;

namespace Taba.Parity.Tests;

/// <summary>Tests that start the command one after the other: each uses all cores, and libtorch's memory adds up.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class CommandLineCollection
{
    public const string Name = "command line";
}

/// <summary>The real command, <c>taba</c>, in a process of its own.</summary>
static class CommandLine
{
    /// <summary>Far more than any case needs on a machine that does nothing else: a hang is told from slowness.</summary>
    static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    static string Assembly => Path.Combine(AppContext.BaseDirectory, "taba.dll");

    /// <summary>Runs the command and requires that it is done.</summary>
    /// <returns>Its standard output.</returns>
    public static async Task<string> DoneAsync(params IEnumerable<string> arguments)
    {
        var given = arguments.ToList();
        var (status, output, errors) = await RunAsync(given);
        Assert.True(status == 0, $"taba {string.Join(' ', given)} ended with {status}:\n{output}\n{errors}");
        // Nobody disturbs these runs: no work is taken from them.
        Assert.DoesNotContain("is lost", errors, StringComparison.Ordinal);
        return output;
    }

    /// <summary>Runs the command to its end.</summary>
    public static async Task<(int Status, string Output, string Errors)> RunAsync(IEnumerable<string> arguments)
    {
        var host = Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") is { Length: > 0 } path ? path : "dotnet";
        using var process = Process.Start(new ProcessStartInfo(host, [Assembly, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"taba {string.Join(' ', arguments)} took longer than {Limit}: {await errors}");
        }
        return (process.ExitCode, await output, await errors);
    }
}

using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Taba.Testing.Servers;

/// <summary>Programs of real servers: where they are, and how they are started on loopback.</summary>
public static class ServerProgram
{
    static readonly TimeSpan s_readyLimit = TimeSpan.FromSeconds(60);
    static readonly TimeSpan s_askEvery = TimeSpan.FromMilliseconds(100);

    /// <summary>The first of these files that exists, or null.</summary>
    public static string? Find(params IEnumerable<string> candidates) => candidates.FirstOrDefault(File.Exists);

    /// <summary>The path of a command, or null.</summary>
    public static string? OnPath(string command) =>
        Find((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Where(p => p.Length > 0).Select(
            p => Path.Combine(p, command)));

    /// <summary>Why a test that needs a server cannot run.</summary>
    /// <exception cref="InvalidOperationException">With CI=true it must be there.</exception>
    public static string Missing(string what) => Environment.GetEnvironmentVariable("CI") == "true"
        ? throw new InvalidOperationException($"{what} is missing, which CI must have: test.sh installs it.")
        : $"{what} is missing: test.sh installs it.";

    /// <summary>A port of loopback that was free just now.</summary>
    public static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    /// <summary>Starts a server that stays; what it says goes to a file, for whoever looks into a failure.</summary>
    public static Process Start(string program, IEnumerable<string> arguments, string logFile)
    {
        Needs.AProcess(program);
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true },
        };
        var log = TextWriter.Synchronized(new StreamWriter(logFile, append: true) { AutoFlush = true });
        process.OutputDataReceived += (_, line) => log.WriteLine(line.Data);
        process.ErrorDataReceived += (_, line) => log.WriteLine(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message holds what it said.</exception>
    public static async Task RunAsync(string program, params IEnumerable<string> arguments)
    {
        Needs.AProcess(program);
        // Its output goes to a file: a server that it leaves behind would hold a pipe open.
        var said = Path.GetTempFileName();
        try
        {
            using var process = Process.Start(new ProcessStartInfo(
                "/bin/sh", ["-c", "out=$1; shift; exec \"$@\" >\"$out\" 2>&1 </dev/null", "sh", said, program, .. arguments]))!;
            await process.WaitForExitAsync();
            if (process.ExitCode != 0)
                throw new InvalidOperationException(
                    $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {await File.ReadAllTextAsync(said)}");
        }
        finally
        {
            File.Delete(said);
        }
    }

    /// <summary>Waits until a server answers.</summary>
    /// <exception cref="TimeoutException">It does not.</exception>
    public static async Task ReadyAsync(string name, Func<Task<bool>> answers)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                if (await answers())
                    return;
            }
            catch (Exception exception)
                when (exception is SocketException or IOException or HttpRequestException or InvalidOperationException)
            {
                // Not yet.
            }
            if (clock.Elapsed > s_readyLimit)
                throw new TimeoutException($"{name} did not answer within {s_readyLimit}.");
            await Task.Delay(s_askEvery);
        }
    }
}

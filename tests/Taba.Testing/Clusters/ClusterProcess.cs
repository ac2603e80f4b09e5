using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Taba.Testing.Clusters;

/// <summary>A silo or a client of a test cluster, in a process of its own.</summary>
public sealed partial class ClusterProcess : IDisposable
{
    const int SigKill = 9;
    const int SigTerm = 15;
    const int SigCont = 18;
    const int SigStop = 19;

    readonly Process _process;
    readonly StringBuilder _output = new();
    readonly StringBuilder _errors = new();
    readonly Task _ended;

    ClusterProcess(string name, Process process)
    {
        Name = name;
        _process = process;
        _ended = Task.WhenAll(CollectAsync(process.StandardOutput, _output), CollectAsync(process.StandardError, _errors));
    }

    public string Name { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public string Output => Text(_output);

    public string Errors => Text(_errors);

    /// <summary>Starts a program of this build.</summary>
    /// <param name="within">A command that the program runs in, such as one that enters a network namespace; empty for none.</param>
    public static ClusterProcess Start(
        string name, string assembly, string folder, IEnumerable<KeyValuePair<string, string>> settings, IEnumerable<string> arguments, params string[] within)
    {
        string[] command = [.. within, "dotnet", Path.Combine(AppContext.BaseDirectory, assembly), .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // A user's own settings must not reach the tests.
        start.Environment["XDG_CONFIG_HOME"] = folder;
        foreach (var (key, value) in settings)
            start.Environment[key] = value;
        return new(name, Process.Start(start)!);
    }

    /// <summary>SIGKILL: nothing in the process can prepare for it.</summary>
    public void Kill() => Send(SigKill);

    /// <summary>Asks for an orderly end.</summary>
    public void Terminate() => Send(SigTerm);

    /// <summary>Stops it as a frozen machine would be.</summary>
    public void Freeze() => Send(SigStop);

    public void Thaw() => Send(SigCont);

    /// <summary>Waits for its end.</summary>
    /// <returns>The exit status.</returns>
    /// <exception cref="TimeoutException">It does not end; the message holds what it said.</exception>
    public async Task<int> EndAsync(TimeSpan atMost)
    {
        using var limit = new CancellationTokenSource(atMost);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{Name} did not end within {atMost}.\n{Output}\n{Errors}");
        }
        await _ended;
        return _process.ExitCode;
    }

    /// <summary>Waits until its standard output has a text.</summary>
    /// <exception cref="TimeoutException">It says it too late, or ended.</exception>
    public async Task SaysAsync(string text, TimeSpan atMost)
    {
        var clock = Stopwatch.StartNew();
        while (!Output.Contains(text, StringComparison.Ordinal))
        {
            if (_process.HasExited || clock.Elapsed > atMost)
                throw new TimeoutException($"{Name} did not say '{text}' within {clock.Elapsed} ({(_process.HasExited ? $"ended with {_process.ExitCode}" : "still running")}).\n{Output}\n{Errors}");
            await Task.Delay(20);
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            Send(SigKill);
        _process.Dispose();
    }

    void Send(int signal)
    {
        if (!_process.HasExited)
            _ = SendSignal(_process.Id, signal);
    }

    static async Task CollectAsync(StreamReader from, StringBuilder into)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            lock (into)
                into.AppendLine(line);
        }
    }

    static string Text(StringBuilder builder)
    {
        lock (builder)
            return builder.ToString();
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int pid, int signal);
}

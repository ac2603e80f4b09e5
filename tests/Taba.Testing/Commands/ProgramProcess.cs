using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Taba.Testing.Commands;

/// <summary>A program in a process of its own: the command, a silo, or a client of a cluster.</summary>
public sealed partial class ProgramProcess : IDisposable
{
    const int SigInt = 2;
    const int SigKill = 9;
    const int SigTerm = 15;
    const int SigCont = 18;
    const int SigStop = 19;

    /// <summary>Only a process that hangs needs this long, on any machine.</summary>
    static readonly TimeSpan s_hangLimit = TimeSpan.FromMinutes(10);

    readonly Process _process;
    readonly StringBuilder _output = new();
    readonly StringBuilder _errors = new();
    readonly Task _ended;
    TaskCompletionSource _nextLine = new(TaskCreationOptions.RunContinuationsAsynchronously);

    ProgramProcess(string name, Process process)
    {
        Name = name;
        _process = process;
        _ended = Task.WhenAll(CollectAsync(process.StandardOutput, _output), CollectAsync(process.StandardError, _errors));
    }

    /// <summary>The name in messages.</summary>
    public string Name { get; }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>Standard output so far.</summary>
    public string Output => Text(_output);

    /// <summary>Standard error so far.</summary>
    public string Errors => Text(_errors);

    /// <summary>Starts a program.</summary>
    /// <param name="name">The name in messages.</param>
    /// <param name="program">The command line that starts the program, of <see cref="Programs"/>.</param>
    /// <param name="folder">The working directory.</param>
    /// <param name="settings">Environment variables beside those of the tests.</param>
    /// <param name="arguments">The program's arguments.</param>
    /// <param name="within">A command that the program runs in, such as one that enters a network namespace; empty for none.</param>
    public static ProgramProcess Start(
        string name, IEnumerable<string> program, string folder, IEnumerable<KeyValuePair<string, string>> settings,
        IEnumerable<string> arguments,
        params string[] within)
    {
        Needs.AProcess(name);
        string[] command = [.. within, .. program, .. arguments];
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

    /// <summary>Ctrl-C.</summary>
    public void Interrupt() => Send(SigInt);

    /// <summary>Asks for an orderly end.</summary>
    public void Terminate() => Send(SigTerm);

    /// <summary>Stops it as a frozen machine would be.</summary>
    public void Freeze() => Send(SigStop);

    public void Thaw() => Send(SigCont);

    /// <summary>Writes a line to its standard input.</summary>
    public void Tell(string line) => _process.StandardInput.WriteLine(line);

    /// <summary>Waits for its end.</summary>
    /// <exception cref="TimeoutException">It does not end; the message holds what it said.</exception>
    public async Task<CommandResult> EndAsync(TimeSpan? atMost = null)
    {
        using var limit = new CancellationTokenSource(atMost ?? s_hangLimit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            Kill();
            throw new TimeoutException($"{Name} did not end within {atMost ?? s_hangLimit}.\n{Output}\n{Errors}");
        }
        await _ended;
        return new(Name, _process.ExitCode, Output, Errors);
    }

    /// <summary>Waits until its standard output has a text.</summary>
    /// <exception cref="TimeoutException">It says it too late, or ended.</exception>
    public async Task SaysAsync(string text, TimeSpan atMost)
    {
        using var limit = new CancellationTokenSource(atMost);
        var tooLate = Task.Delay(Timeout.Infinite, limit.Token);
        while (true)
        {
            var next = Volatile.Read(ref _nextLine).Task;
            var ended = _ended.IsCompleted;
            if (Output.Contains(text, StringComparison.Ordinal))
                return;
            if (ended || tooLate.IsCompleted)
                throw new TimeoutException(
                    $"{Name} did not say '{text}' {(ended ? "and ended" : $"within {atMost}")}.\n{Output}\n{Errors}");
            await Task.WhenAny(next, _ended, tooLate);
        }
    }

    /// <summary>Looks again and again until the condition holds, or the process has ended.</summary>
    /// <returns>False when the process ended first.</returns>
    public async Task<bool> UntilAsync(Func<bool> condition)
    {
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(1));
        while (!condition())
        {
            if (_process.HasExited)
                return condition();
            await look.WaitForNextTickAsync();
        }
        return true;
    }

    public void Dispose()
    {
        Kill();
        _process.Dispose();
    }

    /// <summary>Sends a signal by its number.</summary>
    public void Send(int signal)
    {
        if (!_process.HasExited)
            _ = SendSignal(_process.Id, signal);
    }

    async Task CollectAsync(StreamReader from, StringBuilder into)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            lock (into)
                into.AppendLine(line);
            Interlocked.Exchange(ref _nextLine, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult();
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

using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace Taba.Reliability.Tests;

/// <summary>The real command in a process of its own.</summary>
sealed partial class TabaProcess : IDisposable
{
    /// <summary>Only a process that hangs needs this long, on any machine.</summary>
    static readonly TimeSpan HangLimit = TimeSpan.FromMinutes(10);

    readonly Process _process;
    readonly StringBuilder _error = new();
    readonly Task<string> _output;
    readonly Task _errorEnd;

    TabaProcess(Process process)
    {
        _process = process;
        _output = process.StandardOutput.ReadToEndAsync();
        _errorEnd = CollectErrorsAsync();
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public static TabaProcess Start(string folder, IEnumerable<KeyValuePair<string, string>> settings, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "taba.dll"), .. arguments])
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
        return new(Process.Start(start)!);
    }

    /// <summary>SIGKILL: nothing in the process can prepare for it.</summary>
    public void Kill() => _process.Kill();

    public void Signal(PosixSignal signal) => Assert.Equal(0, SendSignal(_process.Id, signal == PosixSignal.SIGINT ? 2 : 15));

    public async Task<CommandResult> EndAsync()
    {
        using var limit = new CancellationTokenSource(HangLimit);
        try
        {
            await _process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill();
            Assert.Fail($"The command hung for {HangLimit}. Its standard error:\n{_error}");
        }
        await _errorEnd;
        return new(_process.ExitCode, await _output, _error.ToString());
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
        if (!_process.HasExited)
            _process.Kill();
        _process.Dispose();
    }

    async Task CollectErrorsAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_error)
                _error.AppendLine(line);
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int pid, int signal);
}

/// <summary>How a command ended, and what it said.</summary>
sealed record CommandResult(int ExitCode, string Output, string Error)
{
    /// <summary>The last thing on standard error, which is where a command says how it ended.</summary>
    public string LastWord => Error.TrimEnd().Split('\n')[^1].Trim();

    /// <summary>Fails unless the command ended so, with all that it said.</summary>
    public CommandResult ShouldEnd(int exitCode)
    {
        Assert.True(ExitCode == exitCode, $"Expected exit status {exitCode}, found {ExitCode}.\nStandard error:\n{Error}\nStandard output:\n{Output}");
        Assert.DoesNotContain("fault of taba itself", Error);
        // What ends a command is a sentence, not a stack trace.
        Assert.DoesNotMatch(@"(?m)^\s+at \S+\(", Error);
        return this;
    }
}

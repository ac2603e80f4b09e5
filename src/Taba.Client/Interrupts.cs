using System.Globalization;
using System.Runtime.InteropServices;

namespace Taba.Client;

/// <summary>
/// Signals that ask for an end: Ctrl-C, SIGTERM, SIGHUP of a terminal that goes away, and SIGUSR1, by which Slurm says that a job's time
/// is nearly over. The first asks for an orderly end, the second ends the process at once.
/// </summary>
sealed partial class Interrupts : IDisposable
{
    /// <summary>Its number where Taba runs: .NET has no name for it.</summary>
    const PosixSignal SigUsr1 = (PosixSignal)10;

    const int SigHup = 1;

    readonly CancellationTokenSource _first = new();
    readonly PosixSignalRegistration[] _registrations;

    public Interrupts()
    {
        List<PosixSignal> signals = [PosixSignal.SIGINT, PosixSignal.SIGTERM];
        if (OperatingSystem.IsLinux())
            signals.Add(SigUsr1);
        // nohup means that the command goes on without its terminal.
        if (!IsIgnored(SigHup))
            signals.Add(PosixSignal.SIGHUP);
        _registrations = [.. signals.Select(signal => PosixSignalRegistration.Create(signal, OnSignal))];
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken First => _first.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _first.Dispose();
    }

    void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (_first.IsCancellationRequested)
            EndNow();
        // Continuations of the command must not run on the signal's thread: the second signal has to get through.
        ThreadPool.UnsafeQueueUserWorkItem(static source => source.Cancel(), _first, preferLocal: false);
    }

    /// <summary>Without exit handlers: they wait for the very work that is to be abandoned.</summary>
    static void EndNow()
    {
        if (OperatingSystem.IsWindows())
            Environment.Exit(ExitStatus.Interrupted);
        ExitImmediately(ExitStatus.Interrupted);
    }

    /// <summary>Whether whoever started this process had it ignore a signal; nobody says so but on Linux.</summary>
    static bool IsIgnored(int signal)
    {
        const string Field = "SigIgn:";
        try
        {
            var line = File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith(Field, StringComparison.Ordinal));
            return line is not null
                && ulong.TryParse(line.AsSpan(Field.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var mask)
                && (mask >> (signal - 1) & 1) != 0;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitImmediately(int status);
}

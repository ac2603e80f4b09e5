using System.Runtime.InteropServices;

namespace Taba.Client;

/// <summary>Ctrl-C and SIGTERM: the first asks for an orderly end, the second ends the process at once.</summary>
sealed partial class Interrupts : IDisposable
{
    readonly CancellationTokenSource _first = new();
    readonly PosixSignalRegistration[] _registrations;

    public Interrupts() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
    ];

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

    [LibraryImport("libc", EntryPoint = "_exit")]
    private static partial void ExitImmediately(int status);
}

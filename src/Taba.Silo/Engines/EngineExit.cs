using System.Runtime.InteropServices;
using Microsoft.Extensions.Hosting;

namespace Taba.Silo.Engines;

/// <summary>
/// Ends the process of a silo whose device is of no more use, so that membership declares it dead, its leases move, and a supervisor starts
/// a new one. Not for commands: they end by themselves.
/// </summary>
/// <param name="watch">Whom to listen to.</param>
/// <param name="settled">Completes when the parts that the trouble ended are given back, as far as they can be.</param>
/// <param name="exit">Ends the process with a status.</param>
sealed partial class EngineExit(IEngineWatch watch, Func<Task> settled, Action<int> exit) : BackgroundService
{
    /// <summary>The status of a process that ends because it cannot go on.</summary>
    public const int Status = 3;

    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Ends this process without asking its threads: one of them may hang in a driver, and an orderly end would wait for it.
    /// </summary>
    public static void Process(int status)
    {
        if (OperatingSystem.IsWindows())
            Environment.Exit(status);
        else
            _exit(status);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await watch.Trouble.WaitAsync(stoppingToken);
        }
        catch (OperationCanceledException)
        {
            return;
        }
        await settled().WaitAsync(s_patience, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        exit(Status);
    }

    [LibraryImport("libc")]
    private static partial void _exit(int status);
}

using Microsoft.Extensions.Logging;
using Taba.Silo.Faults;

namespace Taba.Silo.Workers;

/// <summary>Takes parts while there is room, and looks again when a part ends, when work is announced, or after a short while.</summary>
sealed partial class PullLoop(
    PartPuller puller,
    PartStarter starter,
    HeldParts held,
    OwnMembership membership,
    WorkSignal signal,
    FaultMonitor faults,
    TimeProvider time,
    ILogger<PullLoop> logger)
{
    const int FaultAfterFailures = 10;
    static readonly TimeSpan s_lookEvery = TimeSpan.FromMilliseconds(500);

    volatile bool _draining;

    /// <summary>Whether it takes no more parts.</summary>
    public bool IsDraining => _draining;

    public void Drain() => _draining = true;

    public void Resume()
    {
        _draining = false;
        signal.WorkMayBeAvailable();
    }

    public async Task RunAsync(CancellationToken stoppingToken)
    {
        var failures = 0;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await membership.CheckAsync(stoppingToken);
                while (!_draining && await TakeSomeAsync())
                {
                    // One more fitted.
                }
                failures = 0;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                var store = FaultMonitor.StoreFault(exception);
                if (store is null)
                    LogLookFailed(logger, exception.Message);
                if (++failures >= FaultAfterFailures || store is not null)
                    faults.Report(exception, "looking for work");
            }
            try
            {
                foreach (var ended in await signal.WaitAsync(s_lookEvery, time, stoppingToken))
                    held.Ended(ended);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <returns>
    /// Whether to ask again at once. When no part could begin it is not: an older attempt at these rows is still about to stop.
    /// </returns>
    async Task<bool> TakeSomeAsync()
    {
        var leases = await puller.PullAsync(held.FreshRow);
        return (await Task.WhenAll(leases.Select(starter.StartAsync))).Any(began => began);
    }

    [LoggerMessage(3101, LogLevel.Warning, "Looking for work failed, and is tried again: {Reason}")]
    static partial void LogLookFailed(ILogger logger, string reason);
}

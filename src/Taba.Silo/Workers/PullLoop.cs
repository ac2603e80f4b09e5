using Microsoft.Extensions.Logging;
using Taba.Silo.Faults;

namespace Taba.Silo.Workers;

/// <summary>
/// Takes parts while there is room. It asks and waits for the answer; when a part ends meanwhile it asks anew, because what it may take
/// then is another.
/// </summary>
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

    /// <summary>Far below the limit of a call.</summary>
    static readonly TimeSpan s_patience = TimeSpan.FromSeconds(8);

    /// <summary>After a question that was answered at once with nothing, or failed.</summary>
    static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(500);

    volatile bool _draining;
    int _failures;

    /// <summary>Whether it takes no more parts.</summary>
    public bool IsDraining => _draining;

    public void Drain()
    {
        _draining = true;
        signal.Wake();
    }

    public void Resume()
    {
        _draining = false;
        signal.Wake();
    }

    public async Task RunAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                if (_draining || !puller.HasRoom)
                {
                    // What was asked before must not bring parts now. A device may come back without a word.
                    await LeaveAsync();
                    Note(await signal.WaitAsync(s_patience, time, stoppingToken));
                    continue;
                }
                // An older question that still waits is answered with nothing as soon as this one comes. What it had got is taken as well.
                var taking = TakeSomeAsync(stoppingToken);
                var ended = await signal.WaitAsync(taking, stoppingToken);
                Note(ended);
                if (ended.Count == 0 && taking.IsCompleted && !await taking)
                    Note(await signal.WaitAsync(s_pause, time, stoppingToken));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            await LeaveAsync();
        }
    }

    void Note(IReadOnlyList<EndedPart> ended)
    {
        foreach (var part in ended)
            held.Ended(part);
    }

    /// <returns>
    /// Whether parts were taken and some of them began, so that it is worth asking again at once. When none could begin it is not: an older
    /// attempt at these rows is still about to stop.
    /// </returns>
    async Task<bool> TakeSomeAsync(CancellationToken stoppingToken)
    {
        try
        {
            await membership.CheckAsync(stoppingToken);
            var leases = await puller.PullAsync(s_patience);
            _failures = 0;
            if (_draining)
            {
                await Task.WhenAll(leases.Select(starter.ReturnAsync));
                return false;
            }
            return (await Task.WhenAll(leases.Select(starter.StartAsync))).Any(began => began);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            var store = FaultMonitor.StoreFault(exception);
            if (store is null)
                LogLookFailed(logger, exception.Message);
            if (++_failures >= FaultAfterFailures || store is not null)
                faults.Report(exception, "looking for work");
            return false;
        }
    }

    async Task LeaveAsync()
    {
        try
        {
            await puller.LeaveAsync();
        }
        catch (Exception)
        {
            // The dispatcher notices without it that this silo is gone.
        }
    }

    [LoggerMessage(3101, LogLevel.Warning, "Looking for work failed, and is tried again: {Reason}")]
    static partial void LogLookFailed(ILogger logger, string reason);
}

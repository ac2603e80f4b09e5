using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Taba.Grains.Ports;
using Taba.Silo.Storage;

namespace Taba.Silo.Checkpoints;

/// <summary>
/// In a cluster: now and then forgets checkpoints of rows that others published, and clears what workers that are gone left. To be
/// registered after Orleans, so that membership is known when it runs.
/// </summary>
sealed partial class CheckpointUpkeep(
    SegmentCheckpointStore checkpoints, ITensorStore store, IWorkerLiveness workers, TimeProvider time, ILogger<CheckpointUpkeep> logger)
    : BackgroundService
{
    static readonly TimeSpan s_every = TimeSpan.FromMinutes(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                await ClearAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The silo ends.
        }
    }

    async Task ClearAsync(CancellationToken stoppingToken)
    {
        try
        {
            await checkpoints.ForgetPublishedAsync(store, stoppingToken);
            var deleted = await checkpoints.ClearLeftAsync(store, IsAlive, stoppingToken);
            if (deleted > 0)
                LogCleared(logger, deleted);
        }
        catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
        {
            // It only would have made room.
            LogFailed(logger, exception.Message);
        }
    }

    /// <summary>True also for a name that is no worker's: such an area is not this silo's to clear.</summary>
    bool IsAlive(string worker)
    {
        try
        {
            return workers.IsAlive(worker);
        }
        catch (Exception exception)
            when (exception is FormatException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            return true;
        }
    }

    [LoggerMessage(4401, LogLevel.Information, "Cleared {Segments} checkpoint segments of workers that are gone")]
    static partial void LogCleared(ILogger logger, int segments);

    [LoggerMessage(4402, LogLevel.Warning, "Checkpoints that others left were not cleared, the next round will try again: {Reason}")]
    static partial void LogFailed(ILogger logger, string reason);
}

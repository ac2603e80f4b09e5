using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Taba.Grains.Upkeep;

namespace Taba.Silo.Clusters;

/// <summary>
/// Asks, once this silo has started, that the cluster's reminder to clear the store is registered, until that is done. To be registered
/// after Orleans.
/// </summary>
sealed partial class UpkeepStart(IGrainFactory grains, TimeProvider time, ILogger<UpkeepStart> logger) : BackgroundService
{
    static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(10);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await grains.GetGrain<IStoreUpkeepGrain>(0).EnsureAsync();
                return;
            }
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                LogFailed(logger, exception.Message);
            }
            await Task.Delay(RetryAfter, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(4501, LogLevel.Warning, "The reminder to clear the store could not be set up, and is tried again: {Reason}")]
    static partial void LogFailed(ILogger logger, string reason);
}

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Taba.Diffusion.Resilience;
using Taba.Grains.Upkeep;

namespace Taba.Silo.Clusters;

/// <summary>
/// Asks, once this silo has started, that the cluster's reminder to clear the store is registered, until that is done. To be registered
/// after Orleans.
/// </summary>
sealed partial class UpkeepStart(IGrainFactory grains, TimeProvider time, ILogger<UpkeepStart> logger) : BackgroundService
{
    static readonly RetryPolicy s_policy = new(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(10));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken) =>
        await s_policy.Pipeline(time, (failure, _, _) => LogFailed(logger, failure.Message))
            .ExecuteAsync(async _ => await grains.GetGrain<IStoreUpkeepGrain>(0).EnsureAsync(), stoppingToken);

    [LoggerMessage(4501, LogLevel.Warning, "The reminder to clear the store could not be set up, and is tried again: {Reason}")]
    static partial void LogFailed(ILogger logger, string reason);
}

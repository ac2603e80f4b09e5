using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Taba.Silo.Clusters;

/// <summary>Has a silo leave its cluster when its machine's clock was set away from the others'.</summary>
sealed partial class ClockWatch(
    TabaClusterOptions cluster, IHostApplicationLifetime host, TimeProvider time, ILogger<ClockWatch> logger) : BackgroundService
{
    static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var look = new PeriodicTimer(s_lookEvery, time);
        while (await look.WaitForNextTickAsync(stoppingToken))
        {
            try
            {
                if (await ClusterClock.MisfitAsync(cluster, time, stoppingToken) is not { } misfit)
                    continue;
                LogLeaves(logger, misfit);
                host.StopApplication();
                return;
            }
            catch (ClusterUnreachableException)
            {
                // Membership and grain state say what there is to say of it.
            }
        }
    }

    [LoggerMessage(5105, LogLevel.Error, "The silo leaves its cluster: {Misfit}")]
    static partial void LogLeaves(ILogger logger, string misfit);
}

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Taba.Silo.Clusters;

/// <summary>Finds out when a machine's clock was set away from the others' while its silo works.</summary>
sealed partial class ClockWatch(TabaClusterOptions cluster, TimeProvider time, ILogger<ClockWatch> logger) : BackgroundService
{
    static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(15);

    readonly TaskCompletionSource<string> _misfit = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>What is wrong, as a sentence, as soon as something is: the silo is to leave.</summary>
    public Task<string> Misfit => _misfit.Task;

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
                _misfit.TrySetResult(misfit);
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

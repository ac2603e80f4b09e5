using Microsoft.Extensions.Hosting;
using Taba.Grains.Silos;

namespace Taba.Silo.Workers;

/// <summary>
/// Tells the fleet's grain every two seconds how this silo fares (docs/design/dashboard.md). Nothing waits for it, and a report that is
/// lost is made up for by the next one.
/// </summary>
sealed class SiloReporter(IGrainFactory grains, OwnMembership membership, SiloReport report, TimeProvider time) : BackgroundService
{
    static readonly TimeSpan s_every = TimeSpan.FromSeconds(2);

    /// <summary>A grain that answers later than this is on its way to another silo.</summary>
    static readonly TimeSpan s_callLimit = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await membership.JoinedAsync(stoppingToken);
            while (true)
            {
                await TellAsync(stoppingToken);
                await Task.Delay(s_every, time, stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The silo ends.
        }
    }

    async Task TellAsync(CancellationToken stoppingToken)
    {
        try
        {
            await grains.GetGrain<IFleetGrain>(0).ReportAsync(report.Now()).WaitAsync(s_callLimit, time, stoppingToken);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException && !stoppingToken.IsCancellationRequested)
        {
            // Nobody looks at a fleet whose grain does not answer: whoever asks it sees that.
        }
    }
}

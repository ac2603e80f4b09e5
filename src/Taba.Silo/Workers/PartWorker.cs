using Microsoft.Extensions.Hosting;

namespace Taba.Silo.Workers;

/// <summary>
/// The worker of this silo: joins, pulls parts while there is room for them, and keeps their leases (docs/design/grains.md).
/// </summary>
sealed class PartWorker(OwnMembership membership, PullLoop pulling, LeaseKeeper leases) : BackgroundService
{
    /// <summary>Whether it takes no more parts.</summary>
    public bool IsDraining => pulling.IsDraining;

    /// <summary>Takes no more parts.</summary>
    public void Drain() => pulling.Drain();

    /// <summary>Takes parts, as it does from the start unless told otherwise.</summary>
    public void Resume() => pulling.Resume();

    /// <summary>Takes no more parts and gives those back that do not end in time: another silo goes on with them at once.</summary>
    public Task GiveBackAsync()
    {
        pulling.Drain();
        return leases.GiveBackAllAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await membership.JoinedAsync(stoppingToken);
        // Apart: a call to a grain whose silo has died waits for seconds, and leases must be renewed meanwhile.
        await Task.WhenAll(leases.RunAsync(stoppingToken), pulling.RunAsync(stoppingToken));
    }
}

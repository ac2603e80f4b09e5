using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Taba.Grains.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Upkeep;

namespace Taba.Grains.Actors;

[CoordinatorPlacement]
sealed partial class StoreUpkeepGrain(
    IStoreUpkeep store, IOptions<StoreUpkeepOptions> options, ILogger<StoreUpkeepGrain> logger)
    : Grain, IStoreUpkeepGrain, IRemindable
{
    readonly CancellationTokenSource _stop = new();
    Task _sweeping = Task.CompletedTask;

    public async Task EnsureAsync()
    {
        var every = options.Value.SweepEvery;
        // A reminder does not say how often it comes: its name does.
        var wanted = every > TimeSpan.Zero ? $"sweep every {every:c}" : null;
        var there = await this.GetReminders();
        foreach (var reminder in there.Where(r => r.ReminderName != wanted))
            await this.UnregisterReminder(reminder);
        // A reminder that is there stays as it is: registering it again starts its wait again, and where silos start more often than it
        // comes, it would never come.
        if (wanted is not null && there.All(r => r.ReminderName != wanted))
            await this.RegisterOrUpdateReminder(wanted, every, every);
    }

    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        // A large store takes longer than a call may.
        if (_sweeping.IsCompleted)
            _sweeping = SweepAsync();
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken) => _stop.CancelAsync();

    async Task SweepAsync()
    {
        DelayDeactivation(TimeSpan.FromDays(1));
        try
        {
            // Asked on threads that are not the grain's.
            var grains = GrainFactory;
            LogSwept(logger, await store.SweepOrphansAsync(key => InUseAsync(grains, key), _stop.Token));
        }
        catch (Exception exception)
        {
            // It only would have made room.
            LogFailed(logger, exception.Message);
        }
        DeactivateOnIdle();
    }

    /// <summary>Asked for each stage that has something to delete; the stage knows its attempts from its state.</summary>
    static async Task<IReadOnlySet<Guid>> InUseAsync(IGrainFactory grains, string stageKey) =>
        (await grains.GetGrain<IStageGrain>(StageAddress.GrainKey(stageKey)).GetAttemptsAsync()).Select(a => a.Id).ToHashSet();

    [LoggerMessage(2201, LogLevel.Information, "Deleted {Orphans} objects and checkpoints that no cell names and no attempt uses")]
    static partial void LogSwept(ILogger logger, int orphans);

    [LoggerMessage(2202, LogLevel.Warning, "The store was not cleared of what dead attempts left, the next reminder tries again: {Reason}")]
    static partial void LogFailed(ILogger logger, string reason);
}

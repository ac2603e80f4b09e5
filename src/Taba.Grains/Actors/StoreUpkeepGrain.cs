using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Taba.Grains.Placement;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Upkeep;

namespace Taba.Grains.Actors;

[CoordinatorPlacement]
sealed partial class StoreUpkeepGrain(
    IStoreUpkeep store, IOptions<StoreUpkeepOptions> options, TimeProvider time, ILogger<StoreUpkeepGrain> logger)
    : Grain, IStoreUpkeepGrain, IRemindable
{
    const string Forget = "forget";

    /// <summary>Sweeps that leave the index with one write.</summary>
    const int ForgottenAtOnce = 50;

    static readonly TimeSpan s_forgetEvery = TimeSpan.FromDays(1);

    readonly CancellationTokenSource _stop = new();
    Task _sweeping = Task.CompletedTask;
    Task _forgetting = Task.CompletedTask;

    public async Task EnsureAsync()
    {
        // A reminder does not say how often it comes: its name does.
        var wanted = new Dictionary<string, TimeSpan>();
        if (options.Value.SweepEvery is var every && every > TimeSpan.Zero)
            wanted[$"sweep every {every:c}"] = every;
        if (options.Value.ForgetAfter > TimeSpan.Zero)
            wanted[$"{Forget} every {s_forgetEvery:c}"] = s_forgetEvery;
        // A reminder that is there stays as it is: registering it again starts its wait again, and where silos start more often than it
        // comes, it would never come.
        foreach (var reminder in await this.GetReminders())
        {
            if (!wanted.Remove(reminder.ReminderName))
                await this.UnregisterReminder(reminder);
        }
        foreach (var (name, period) in wanted)
            await this.RegisterOrUpdateReminder(name, period, period);
    }

    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        // A large store takes longer than a call may, and so do many sweeps.
        if (reminderName.StartsWith(Forget, StringComparison.Ordinal))
        {
            if (_forgetting.IsCompleted)
                _forgetting = ForgetAsync();
        }
        else if (_sweeping.IsCompleted)
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

    /// <summary>Has the states of sweeps cleared that ended long ago: those that cannot be yet are asked the next time.</summary>
    async Task ForgetAsync()
    {
        DelayDeactivation(TimeSpan.FromDays(1));
        try
        {
            var index = GrainFactory.GetGrain<ISweepIndexGrain>(0);
            var forgotten = 0;
            foreach (var some in (await index.GetEndedAsync(time.GetUtcNow() - options.Value.ForgetAfter)).Chunk(ForgottenAtOnce))
            {
                _stop.Token.ThrowIfCancellationRequested();
                var gone = ImmutableArray.CreateBuilder<string>();
                foreach (var sweep in some)
                {
                    try
                    {
                        if (await GrainFactory.GetGrain<ISweepGrain>(sweep).ForgetAsync())
                            gone.Add(sweep);
                    }
                    catch (Exception exception) when (exception is not OutOfMemoryException)
                    {
                        LogNotForgotten(logger, sweep, exception.Message);
                    }
                }
                await index.ForgetAsync(gone.ToImmutable());
                forgotten += gone.Count;
            }
            LogForgotten(logger, forgotten);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            LogNotForgotten(logger, "of any age", exception.Message);
        }
    }

    /// <summary>Asked for each stage that has something to delete; the stage knows its attempts from its state.</summary>
    static async Task<IReadOnlySet<Guid>> InUseAsync(IGrainFactory grains, string stageKey) =>
        (await grains.GetGrain<IStageGrain>(StageAddress.GrainKey(stageKey)).GetAttemptsAsync()).Select(a => a.Id).ToHashSet();

    [LoggerMessage(2203, LogLevel.Information, "Cleared the states of {Sweeps} sweeps that ended long ago")]
    static partial void LogForgotten(ILogger logger, int sweeps);

    [LoggerMessage(2204, LogLevel.Warning, "The states of sweep {Sweep} were not cleared, the next reminder tries again: {Reason}")]
    static partial void LogNotForgotten(ILogger logger, string sweep, string reason);

    [LoggerMessage(2201, LogLevel.Information, "Deleted {Orphans} objects and checkpoints that no cell names and no attempt uses")]
    static partial void LogSwept(ILogger logger, int orphans);

    [LoggerMessage(2202, LogLevel.Warning, "The store was not cleared of what dead attempts left, the next reminder tries again: {Reason}")]
    static partial void LogFailed(ILogger logger, string reason);
}

using System.Collections.Immutable;
using Taba.Grains.Dispatch;
using Taba.Grains.Placement;
using Taba.Grains.Silos;
using Taba.Grains.Waits;
using Taba.Grains.Words;

namespace Taba.Grains.Actors;

/// <summary>Hears how silos fare, and asks the dispatcher why a device idles when somebody looks.</summary>
[CoordinatorPlacement]
sealed class FleetGrain(TimeProvider time) : Grain, IFleetGrain
{
    static readonly TimeSpan s_forgetEvery = TimeSpan.FromMinutes(1);

    /// <summary>Who looks must not wait long for the reasons.</summary>
    static readonly TimeSpan s_answersWithin = TimeSpan.FromSeconds(1);

    readonly FleetBoard _board = new(time, silo => SiloText.Troubles(silo).Any());

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        this.RegisterGrainTimer(
            _ =>
            {
                _board.Forget();
                return Task.CompletedTask;
            },
            new() { DueTime = s_forgetEvery, Period = s_forgetEvery });
        return Task.CompletedTask;
    }

    public Task ReportAsync(SiloFare fare)
    {
        _board.Take(fare);
        return Task.CompletedTask;
    }

    public async ValueTask<FleetView> GetAsync(FleetAsk ask)
    {
        var workers = _board.Workers(ask);
        var work = workers.IsEmpty ? null : await StandingAsync(workers);
        var byWorker = work?.Workers.ToDictionary(w => w.Worker);
        return _board.View(ask, (silo, device, last) => Idling.Of(silo, device, last, work, byWorker?.GetValueOrDefault(silo.Silo.Worker)));
    }

    async Task<DispatchStanding?> StandingAsync(ImmutableArray<string> workers)
    {
        try
        {
            return await GrainFactory.GetGrain<IDispatcherGrain>(0).GetStandingAsync(new([], workers)).AsTask()
                .WaitAsync(s_answersWithin, time);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // What a silo says of itself is true without it.
            return null;
        }
    }
}

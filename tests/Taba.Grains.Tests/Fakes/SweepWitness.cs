using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Fakes;

/// <summary>What the index and the stages believe of a sweep.</summary>
static class SweepWitness
{
    /// <summary>Begins the key of the index's state.</summary>
    public const string IndexState = "sweep-index/";

    public static async Task<SweepEntry?> ListedAsync(this TestSilo silo, string id) =>
        (await silo.Grains.GetGrain<ISweepIndexGrain>(0).GetLiveAsync()).FirstOrDefault(s => s.SweepId == id);

    public static async Task<bool> IsListedAsync(this TestSilo silo, string id) => await silo.ListedAsync(id) is not null;

    /// <summary>The rows that each stage still believes are wanted.</summary>
    public static async Task<string> WantedAsync(this TestSilo silo, SweepPlan plan) => string.Join(
        ' ', await Task.WhenAll(plan.Stages.Select(async s => (await silo.Stage(s.Key).GetStatusAsync(plan.SweepId)).RowsWanted)));

    /// <summary>Time passes, in steps of a sweep's tick, until something is so or the time is over.</summary>
    public static async Task PassAsync(this TestSilo silo, TimeSpan time, Func<Task<bool>> until)
    {
        for (var passed = TimeSpan.Zero; passed < time && !await until(); passed += TimeSpan.FromSeconds(1))
        {
            silo.Time.Advance(TimeSpan.FromSeconds(1));
            // What the tick began goes on in the silo: calls that come behind it let it, and grains that come up take a moment.
            for (var i = 0; i < 20; i++)
                await silo.Grains.GetGrain<ISweepIndexGrain>(0).GetAllAsync();
            await Task.Delay(10);
        }
    }
}

using Taba.Grains.Models;
using Taba.Grains.Placement;
using Taba.Grains.Stages;
using Taba.Grains.Tests.Fakes;

namespace Taba.Grains.Tests.Grains;

/// <summary>The grain of a model owns its engine: it is loaded for parts, stays while it is needed or there is room, and goes.</summary>
[Collection(SiloCollection.Name)]
public sealed class ModelTests : IDisposable
{
    static readonly StageSpec s_spec = TestSilo.NewStage();

    readonly TestSilo _silo;
    readonly string _device = $"device {Guid.NewGuid():n}";

    public ModelTests(TestSilo silo)
    {
        _silo = silo;
        silo.Device.MaxModels = 2;
        silo.Device.Loads.Clear();
    }

    public void Dispose()
    {
        _silo.Device.MaxModels = 3;
        _silo.Device.BeforeUnload = null;
    }

    IModelGrain Model(string engine) =>
        _silo.Grains.GetGrain<IModelGrain>(PinnedToSiloPlacement.Key(_silo.Cluster.Silos[0].SiloAddress, new(_device, engine)));

    static PartAttempt NewPart() => new("57a9e", 0, 1, Guid.NewGuid());

    async Task<EngineResidency> ResidencyAsync(string engine) => (await Model(engine).GetStatusAsync()).Engine.Residency;

    [Fact]
    public async Task AcquireAsync_ByTwoParts_LoadsOnceAndIsNeededUntilBothReleaseIt()
    {
        var (model, first, second) = (Model("a"), NewPart(), NewPart());
        await model.AcquireAsync(first, s_spec);
        await model.AcquireAsync(second, s_spec);
        Assert.Equal(2, (await model.GetStatusAsync()).Parts);
        await UntilAsync(() => Task.FromResult(_silo.Device.Loads.Count == 1));

        await model.ReleaseAsync(first);
        Assert.False(await model.UnloadAsync());
        Assert.Equal(EngineResidency.Loaded, await ResidencyAsync("a"));
        await model.ReleaseAsync(second);
        Assert.True(await model.UnloadAsync());
        Assert.Equal(EngineResidency.Unloaded, await ResidencyAsync("a"));
        Assert.Single(_silo.Device.Loads);
    }

    [Fact]
    public async Task AcquireAsync_OneMoreThanMayStay_UnloadsTheOneThatWasIdleLongest()
    {
        foreach (var engine in new[] { "a", "b" })
        {
            var part = NewPart();
            await Model(engine).AcquireAsync(part, s_spec);
            _silo.Time.Advance(TimeSpan.FromSeconds(1));
            await Model(engine).ReleaseAsync(part);
            _silo.Time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(TimeSpan.FromSeconds(3), (await Model("a").GetStatusAsync()).IdleFor);

        await Model("c").AcquireAsync(NewPart(), s_spec);

        await UntilAsync(async () => await ResidencyAsync("a") == EngineResidency.Unloaded);
        Assert.Equal(EngineResidency.Loaded, await ResidencyAsync("b"));
        Assert.Equal(EngineResidency.Loaded, await ResidencyAsync("c"));
    }

    [Fact]
    public async Task AcquireAsync_OthersInUse_IsLoadedBesideThem()
    {
        foreach (var engine in new[] { "a", "b", "c" })
            await Model(engine).AcquireAsync(NewPart(), s_spec);
        await UntilAsync(() => Task.FromResult(_silo.Device.Loads.Count == 3));
        foreach (var engine in new[] { "a", "b", "c" })
            Assert.Equal(EngineResidency.Loaded, await ResidencyAsync(engine));
    }

    [Fact]
    public async Task AcquireAsync_WhileItIsUnloaded_LoadsItAnewAfterwards()
    {
        var (model, part) = (Model("a"), NewPart());
        await model.AcquireAsync(part, s_spec);
        await UntilAsync(() => Task.FromResult(_silo.Device.Loads.Count == 1));
        await model.ReleaseAsync(part);
        var freed = new TaskCompletionSource();
        _silo.Device.BeforeUnload = freed.Task;
        var unloading = model.UnloadAsync();

        // No call of the grain waits for the device, and the memory of the old engine is free before the new one takes it.
        await UntilAsync(async () => await ResidencyAsync("a") == EngineResidency.Unloaded);
        await model.AcquireAsync(NewPart(), s_spec);
        Assert.Single(_silo.Device.Loads);
        freed.SetResult();

        Assert.True(await unloading);
        await UntilAsync(() => Task.FromResult(_silo.Device.Loads.Count == 2));
        Assert.Equal(1, (await model.GetStatusAsync()).Parts);
    }

    static async Task UntilAsync(Func<Task<bool>> holds)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (!await holds())
        {
            Assert.True(clock.Elapsed < TestSilo.Patience, "it did not come about in time");
            await Task.Delay(5);
        }
    }
}

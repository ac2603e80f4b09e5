using Taba.Diffusion.Engine;

namespace Taba.Diffusion.Tests.Engine;

/// <summary>Engines that share a device.</summary>
public sealed class DeviceTurnsTests
{
    static readonly ToySchedule s_schedule = new(5);

    [Fact]
    public async Task TwoEngines_OfOneDevice_ComputeInTurnAndNeitherWaitsForTheOtherToEnd()
    {
        var turns = new DeviceTurns();
        var (inside, order) = (0, new List<int>());
        using var first = new ToyDenoiser(Rows.Shape) { Before = _ => Enter(1), After = (_, eps) => Leave(eps) };
        using var second = new ToyDenoiser(Rows.Shape) { Before = _ => Enter(2), After = (_, eps) => Leave(eps) };
        await using var one = new DenoisingEngine(first, new EngineOptions { BatchSize = 2, Turns = turns });
        await using var two = new DenoisingEngine(second, new EngineOptions { BatchSize = 2, Turns = turns });

        const int Each = 20;
        var observers = Enumerable.Range(0, 2 * Each).Select(_ => new RecordingObserver()).ToArray();
        using (var held = turns.Take(TestContext.Current.CancellationToken))
        {
            for (var i = 0; i < observers.Length; i++)
                (i < Each ? one : two).Start(Rows.Request(i % Each, s_schedule, observers[i]));
        }
        foreach (var observer in observers)
            await observer.Completed;

        // The numbers are those of an engine that has the device to itself, and each engine had its turn before the other's end.
        for (var i = 0; i < Each; i++)
            Rows.EqualWithin(await observers[i].Completed, await observers[Each + i].Completed, 1e-5f);
        Assert.True(order.IndexOf(2) < order.LastIndexOf(1) && order.IndexOf(1) < order.LastIndexOf(2), string.Join("", order));

        void Enter(int engine)
        {
            Assert.Equal(1, Interlocked.Increment(ref inside));
            lock (order)
                order.Add(engine);
        }

        TorchSharp.torch.Tensor Leave(TorchSharp.torch.Tensor eps)
        {
            Interlocked.Decrement(ref inside);
            return eps;
        }
    }

    [Fact]
    public async Task DisposeAsync_WhileAnotherEngineHasTheDevice_DoesNotWaitForIt()
    {
        var turns = new DeviceTurns();
        using var gate = new Gate();
        using var hung = new ToyDenoiser(Rows.Shape) { Before = gate.Enter };
        using var waiting = new ToyDenoiser(Rows.Shape);
        var (of, stopped) = (new RecordingObserver(), new RecordingObserver());
        await using var one = new DenoisingEngine(hung, new EngineOptions { BatchSize = 1, Turns = turns });
        one.Start(Rows.Request(1, s_schedule, of));
        await gate.EnteredAsync();

        var two = new DenoisingEngine(waiting, new EngineOptions { BatchSize = 1, Turns = turns });
        two.Start(Rows.Request(2, s_schedule, stopped));
        await two.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken);

        Assert.IsType<EngineStoppedException>(stopped.Error);
        Assert.Equal(0, waiting.Calls);
        gate.Open(s_schedule.NumInferenceSteps);
        await of.Completed;
    }

    [Fact]
    public async Task FailedPass_OfOneEngine_LeavesTheDeviceToTheOther()
    {
        var turns = new DeviceTurns();
        using var failing = new ToyDenoiser(Rows.Shape) { Before = _ => throw new InvalidOperationException("no") };
        using var working = new ToyDenoiser(Rows.Shape);
        var (failed, done) = (new RecordingObserver(), new RecordingObserver());
        await using var one = new DenoisingEngine(failing, new EngineOptions { BatchSize = 2, Turns = turns });
        await using var two = new DenoisingEngine(working, new EngineOptions { BatchSize = 2, Turns = turns });

        one.Start(Rows.Request(1, s_schedule, failed));
        await failed.NextSegmentAsync();
        two.Start(Rows.Request(2, s_schedule, done));

        await done.Completed;
        Assert.NotNull(failed.Error);
    }
}

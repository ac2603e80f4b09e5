using Taba.Diffusion.Engine;
using Taba.Diffusion.Schedules;

namespace Taba.Diffusion.Tests.Engine;

public sealed class EngineSwapTests
{
    const int T = 6;

    [Fact]
    public async Task SwapEps_GivenTheNetworksOwnEps_GivesTheSameTrajectoryWithFewerEvaluations()
    {
        var schedule = new ToySchedule(T, PredictionRule.Plain);
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions { Deterministic = true });
        var plain = new RecordingObserver();
        engine.Start(Rows.Request(1, schedule, plain, captures: _ => TensorKinds.Eps));
        var expected = await plain.Completed;

        var calls = model.Calls;
        var swapped = new RecordingObserver();
        engine.Start(new TrajectoryRequest
        {
            Schedule = schedule, Direction = Direction.Inversion, FirstStep = 0, State = Rows.Make(1), Observer = swapped,
            Swap = SwapKind.Eps, SwapBefore = 4, SwapRow = k => plain.Captured[k].Row, Captures = _ => TensorKinds.Eps,
        });
        Assert.Equal(expected, await swapped.Completed);
        Assert.Equal(2, model.Calls - calls);
        Assert.Equal(2, swapped.Segments[0].Outcome.Evaluations);
        Assert.Equal(plain.Captured.Select(c => c.Row), swapped.Captured.Select(c => c.Row));
        Assert.Equal(4, engine.Statistics.SwappedSteps);
    }

    [Fact]
    public async Task SwapEps_UnderTheClampingRule_LeavesEpsAndPredXstartAsTheyCome()
    {
        var schedule = new ToySchedule(T);
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions());
        var observer = new RecordingObserver();
        var (x, eps) = (Rows.Make(1), Rows.Make(9));
        var handle = engine.Open(new TrajectoryRequest
        {
            Schedule = schedule, Direction = Direction.Inversion, FirstStep = 0, State = x, Observer = observer, Swap = SwapKind.Eps,
            SwapBefore = 1,
            SwapRow = _ => eps, Captures = _ => TensorKinds.State | TensorKinds.Eps | TensorKinds.PredXstart,
        });
        engine.RunSegment(handle, 1);
        await observer.NextSegmentAsync();
        Assert.Equal([TensorKinds.Eps, TensorKinds.PredXstart, TensorKinds.State], observer.Captured.Select(c => c.Kind));
        Assert.Equal(eps, observer.Captured[0].Row);
        var step = schedule.Step(Direction.Inversion, 0);
        var beyond = 0;
        for (var i = 0; i < Rows.Shape.Elements; i++)
        {
            var x0 = (Rows.Floats(x)[i] - (Math.Sqrt(1 - step.AlphaBar) * Rows.Floats(eps)[i])) / Math.Sqrt(step.AlphaBar);
            beyond += Math.Abs(x0) > 1 ? 1 : 0;
            Assert.Equal(x0, Rows.Floats(observer.Captured[1].Row)[i], 1e-5);
            Assert.Equal(
                (Math.Sqrt(step.AlphaBarNext) * x0) + (Math.Sqrt(1 - step.AlphaBarNext) * Rows.Floats(eps)[i]),
                Rows.Floats(observer.Segments[0].State)[i], 1e-5);
        }
        Assert.True(beyond > 0);
    }

    [Fact]
    public async Task SwapXt_StateIsTheGivenOne_AndThePredictionIsBlank()
    {
        var schedule = new ToySchedule(T);
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions { Deterministic = true });
        var (swapped, plain) = (new RecordingObserver(), new RecordingObserver());
        engine.Start(new TrajectoryRequest
        {
            Schedule = schedule, Direction = Direction.Inversion, FirstStep = 0, State = Rows.Make(1), Observer = swapped,
            Swap = SwapKind.Xt, SwapBefore = 3,
            SwapRow = k => Rows.Make(100 + k), Captures = k => k < 3 ? TensorKinds.State | TensorKinds.Eps : TensorKinds.None,
        });
        engine.Start(new TrajectoryRequest
        {
            Schedule = schedule, Direction = Direction.Inversion, FirstStep = 3, State = Rows.Make(102), Observer = plain,
        });
        Assert.Equal(await plain.Completed, await swapped.Completed);
        for (var k = 0; k < 3; k++)
        {
            Assert.Equal((k, TensorKinds.Eps), (swapped.Captured[2 * k].Step, swapped.Captured[2 * k].Kind));
            Assert.All(swapped.Captured[2 * k].Row, b => Assert.Equal(0, b));
            Assert.Equal(Rows.Make(100 + k), swapped.Captured[(2 * k) + 1].Row);
        }
        Assert.Equal(3, swapped.Segments[0].Outcome.Evaluations);
    }

    [Fact]
    public async Task SwapXt_EveryStep_NeedsNoNetwork()
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions { BatchSize = 2, Slots = 9 });
        var observers = Enumerable.Range(0, 9).Select(_ => new RecordingObserver()).ToArray();
        foreach (var observer in observers)
        {
            engine.Start(new TrajectoryRequest
            {
                Schedule = new ToySchedule(T), Direction = Direction.Inversion, FirstStep = 0, State = Rows.Make(1), Observer = observer,
                Swap = SwapKind.Xt, SwapBefore = T, SwapRow = Row,
            });
        }
        foreach (var observer in observers)
            Assert.Equal(Rows.Make(T - 1), await observer.Completed);
        Assert.Equal(0, model.Calls);

        static ReadOnlyMemory<byte> Row(int k) => Rows.Make(k);
    }

    [Fact]
    public async Task SwapRow_StillBeingRead_OthersGoOn()
    {
        using var gate = new ManualResetEventSlim();
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions());
        var (slow, quick) = (new RecordingObserver(), new RecordingObserver());
        engine.Start(new TrajectoryRequest
        {
            Schedule = new ToySchedule(T), Direction = Direction.Inversion, FirstStep = 0, State = Rows.Make(1), Observer = slow,
            Swap = SwapKind.Eps, SwapBefore = 1, SwapRow = _ =>
            {
                gate.Wait();
                return Rows.Make(5);
            },
        });
        engine.Start(Rows.Request(2, new ToySchedule(T), quick));
        await quick.Completed;
        Assert.Empty(slow.Segments);
        gate.Set();
        await slow.Completed;
    }

    [Fact]
    public async Task SwapRow_ThrowsOrHasTheWrongLength_FailsThatTrajectoryOnly()
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions());
        var (throwing, shortRow, fine) = (new RecordingObserver(), new RecordingObserver(), new RecordingObserver());
        foreach (var (observer, row) in new (RecordingObserver, Func<int, ReadOnlyMemory<byte>>)[]
        {
            (throwing, k => k == 2 ? throw new IOException("gone") : Rows.Make(k)),
            (shortRow, k => k == 1 ? new byte[12] : Rows.Make(k)),
            (fine, k => Rows.Make(k)),
        })
        {
            engine.Start(new TrajectoryRequest
            {
                Schedule = new ToySchedule(T), Direction = Direction.Inversion, FirstStep = 0, State = Rows.Make(1), Observer = observer,
                Swap = SwapKind.Eps, SwapBefore = 4, SwapRow = row,
            });
        }
        await Assert.ThrowsAsync<IOException>(() => throwing.Completed);
        await Assert.ThrowsAsync<ArgumentException>(() => shortRow.Completed);
        Assert.Equal((2, 1), (throwing.FailedStep, shortRow.FailedStep));
        await fine.Completed;
    }
}

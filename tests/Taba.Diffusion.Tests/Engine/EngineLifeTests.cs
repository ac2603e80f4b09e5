using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using Taba.Diffusion.Engine;
using Taba.Diffusion.Schedules;

namespace Taba.Diffusion.Tests.Engine;

/// <summary>Opening, closing, draining, stopping, and what is told on the way.</summary>
public sealed class EngineLifeTests
{
    static readonly ToySchedule s_schedule = new(5);

    [Fact]
    public async Task Captures_AllKinds_ComeInStepOrderBeforeTheSegment()
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions { BatchSize = 4 });
        var calls = new ConcurrentQueue<string>[6];
        var observers = new RecordingObserver[6];
        for (var i = 0; i < 6; i++)
        {
            var mine = calls[i] = new ConcurrentQueue<string>();
            observers[i] = new RecordingObserver { On = mine.Enqueue };
            var handle = engine.Open(
                Rows.Request(i, s_schedule, observers[i], captures: _ => TensorKinds.State | TensorKinds.Eps | TensorKinds.PredXstart));
            engine.RunSegment(handle, 2);
            engine.RunSegment(handle, 3);
        }
        for (var i = 0; i < 6; i++)
        {
            var last = await observers[i].Completed;
            Assert.Equal(Enumerable.Range(0, 15).Select(k => k / 3), observers[i].Captured.Select(c => c.Step));
            Assert.Equal([.. Enumerable.Repeat("captured", 6), "segment", .. Enumerable.Repeat("captured", 9), "segment"], calls[i]);
            Assert.Equal(last, observers[i].Captured.Last(c => c.Kind == TensorKinds.State).Row);
            Assert.Equal(observers[i].Segments[0].State, observers[i].Captured.Single(c => c is { Step: 1, Kind: TensorKinds.State }).Row);
        }
    }

    /// <summary>Rows share their passes: together they have the time that the device worked, once.</summary>
    [Fact]
    public async Task Computing_OfRowsThatShareAPass_AddsUpToThePasses()
    {
        var pause = TimeSpan.FromMilliseconds(20);
        using var model = new ToyDenoiser(Rows.Shape) { Before = _ => Compute(pause) };
        await using var engine = new DenoisingEngine(model, new EngineOptions { BatchSize = 4 });
        var observers = Enumerable.Range(0, 8).Select(_ => new RecordingObserver()).ToList();
        var began = TimeProvider.System.GetTimestamp();
        for (var i = 0; i < observers.Count; i++)
        {
            var handle = engine.Open(Rows.Request(i, s_schedule, observers[i]));
            engine.RunSegment(handle, 2);
            engine.RunSegment(handle, 3);
        }
        foreach (var observer in observers)
            await observer.Completed;
        var took = TimeProvider.System.GetElapsedTime(began);
        var computing = observers.Aggregate(TimeSpan.Zero, (sum, o) => sum + o.Computing);
        Assert.InRange(computing, pause * model.Calls, took);
        Assert.All(observers, o => Assert.True(o.Computing >= pause * 5 / 4, $"{o.Computing}"));

        static void Compute(TimeSpan time)
        {
            var began = TimeProvider.System.GetTimestamp();
            while (TimeProvider.System.GetElapsedTime(began) < time)
                Thread.SpinWait(100);
        }
    }

    [Fact]
    public async Task Close_InMidRun_NothingMoreIsToldAndTheSlotIsFree()
    {
        using var gate = new Gate();
        using var model = new ToyDenoiser(Rows.Shape) { Before = gate.Enter };
        await using var engine = new DenoisingEngine(model, new EngineOptions { BatchSize = 1, Slots = 1 });
        var (closed, next) = (new RecordingObserver(), new RecordingObserver());
        var handle = engine.Start(Rows.Request(1, s_schedule, closed, captures: _ => TensorKinds.State));
        await gate.EnteredAsync();
        engine.Close(handle);
        engine.Close(handle);
        Assert.Throws<ObjectDisposedException>(() => engine.RunSegment(handle, 1));
        gate.Open(6);
        engine.Start(Rows.Request(2, s_schedule, next));
        await next.Completed;
        Assert.Empty(closed.Captured);
        Assert.Null(closed.Error);
        Assert.Equal(6, model.Calls);
    }

    [Fact]
    public async Task RunSegment_StaleHandle_SaysSo()
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions());
        var observer = new RecordingObserver();
        var handle = engine.Start(Rows.Request(1, s_schedule, observer));
        await observer.Completed;
        Assert.Throws<ObjectDisposedException>(() => engine.RunSegment(handle, 1));
        Assert.Throws<ObjectDisposedException>(() => engine.RunSegment(handle with { Incarnation = Guid.NewGuid() }, 1));
        Assert.Throws<ObjectDisposedException>(() => engine.Close(handle with { Incarnation = Guid.NewGuid() }));
        Assert.Throws<ArgumentException>(() => engine.RunSegment(handle with { Index = 99 }, 1));
        Assert.Throws<ArgumentException>(() => engine.Close(handle with { Index = 99 }));
        engine.Close(handle);
    }

    [Fact]
    public async Task RunSegment_MoreStepsThanAreLeft_Refused()
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions());
        var observer = new RecordingObserver();
        var handle = engine.Open(Rows.Request(1, s_schedule, observer));
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.RunSegment(handle, 6));
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.RunSegment(handle, 0));
        engine.RunSegment(handle, 3);
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.RunSegment(handle, 3));
        engine.RunSegment(handle, 2);
        await observer.Completed;
    }

    [Fact]
    public async Task Open_BadRequests_Refused()
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions());
        TrajectoryRequest Request(int first = 0, SwapKind? swap = null, int before = 0, double? alphaBar = null) => new()
        {
            Schedule = s_schedule, Direction = Direction.Sampling, FirstStep = first, State = Rows.Make(1),
            Observer = new RecordingObserver(),
            Swap = swap, SwapBefore = before, ForwardNoise = alphaBar is null ? null : Rows.Make(2), ForwardAlphaBar = alphaBar ?? 0,
        };
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.Open(Request(first: 5)));
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.Open(Request(first: -1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.Open(Request(swap: SwapKind.Eps, before: 6)));
        Assert.Throws<ArgumentException>(() => engine.Open(Request(swap: SwapKind.Eps, before: 1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => engine.Open(Request(alphaBar: double.NaN)));
        Assert.Throws<ValidationException>(() => new DenoisingEngine(model, new EngineOptions { BatchSize = 0 }));
        Assert.Equal(0, engine.Statistics.Pending);
    }

    [Fact]
    public async Task Open_MoreThanMayWait_Refused()
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions { MaxPending = 2 });
        var observer = new RecordingObserver();
        engine.Open(Rows.Request(1, s_schedule, observer));
        var second = engine.Open(Rows.Request(1, s_schedule, observer));
        Assert.Contains("2", Assert.Throws<EngineOverloadedException>(
            () => engine.Open(Rows.Request(1, s_schedule, observer))).Message, StringComparison.Ordinal);
        engine.RunSegment(second, 5);
        await observer.Completed;
        engine.Open(Rows.Request(1, s_schedule, new RecordingObserver()));
    }

    [Fact]
    public async Task DrainAsync_InMidRun_FinishesSegmentsUnderWayAndRefusesTheRest()
    {
        using var gate = new Gate();
        using var model = new ToyDenoiser(Rows.Shape) { Before = gate.Enter };
        await using var engine = new DenoisingEngine(model, new EngineOptions { BatchSize = 1, Slots = 1 });
        var (running, waiting) = (new RecordingObserver(), new RecordingObserver());
        var handle = engine.Open(Rows.Request(1, s_schedule, running));
        engine.RunSegment(handle, 2);
        engine.Start(Rows.Request(2, s_schedule, waiting));
        await gate.EnteredAsync();
        var drained = engine.DrainAsync();
        Assert.Throws<EngineStoppedException>(() => engine.RunSegment(handle, 1));
        Assert.Throws<EngineStoppedException>(() => engine.Open(Rows.Request(3, s_schedule, waiting)));
        Assert.False(drained.IsCompleted);
        gate.Open(2);
        await drained.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Equal(new SegmentOutcome(2, false, 2), running.Segments.Single().Outcome);
        Assert.Null(running.Error);
        Assert.IsType<EngineStoppedException>(waiting.Error);
        Assert.Equal(2, model.Calls);
        await engine.DisposeAsync();
        await engine.DrainAsync().WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task DrainAsync_InALongSegment_EndsItWithTheNextStep()
    {
        using var gate = new Gate();
        using var model = new ToyDenoiser(Rows.Shape) { Before = gate.Enter };
        await using var engine = new DenoisingEngine(model, new EngineOptions { BatchSize = 1, Slots = 1 });
        var observer = new RecordingObserver();
        var schedule = new ToySchedule(50);
        var handle = engine.Open(Rows.Request(1, schedule, observer));
        engine.RunSegment(handle, 40);
        engine.RunSegment(handle, 10);
        await gate.EnteredAsync();
        var drained = engine.DrainAsync();
        gate.Open(50);
        await drained.WaitAsync(TimeSpan.FromSeconds(60));
        var segment = observer.Segments.Single();
        Assert.Equal(new SegmentOutcome(2, false, 2), segment.Outcome);
        Assert.Null(observer.Error);

        // What it left goes on elsewhere to the same end.
        using var other = new ToyDenoiser(Rows.Shape);
        await using var next = new DenoisingEngine(other, new EngineOptions { BatchSize = 1, Slots = 1 });
        var (rest, whole) = (new RecordingObserver(), new RecordingObserver());
        next.Start(Rows.Request(1, schedule, rest) with { State = segment.State, FirstStep = 2 });
        next.Start(Rows.Request(1, schedule, whole));
        Assert.Equal(await whole.Completed, await rest.Completed);
    }

    [Fact]
    public async Task DisposeAsync_Outstanding_FailsEachAndFreesAllTensors()
    {
        using var gate = new Gate();
        ToyDenoiser? model = null;
        var engine = new DenoisingEngine(
            () => model = new ToyDenoiser(Rows.Shape) { Before = gate.Enter }, new EngineOptions { BatchSize = 1, Slots = 2 });
        var observers = Enumerable.Range(0, 4).Select(_ => new RecordingObserver()).ToArray();
        foreach (var observer in observers[..3])
            engine.Start(Rows.Request(1, s_schedule, observer));
        engine.Open(Rows.Request(1, s_schedule, observers[3]));
        await gate.EnteredAsync();
        var stopped = engine.DisposeAsync().AsTask();
        gate.Open(10);
        await stopped.WaitAsync(TimeSpan.FromSeconds(60));
        foreach (var observer in observers)
            Assert.IsType<EngineStoppedException>(observer.Error);
        Assert.True(model!.Disposed);
        Assert.NotEqual(Environment.CurrentManagedThreadId, model.DisposedOnThread);
        Assert.Throws<EngineStoppedException>(() => engine.Open(Rows.Request(1, s_schedule, observers[0])));
        await engine.DisposeAsync();
        await engine.Completion;
    }

    [Fact]
    public async Task Open_FromManyThreads_AllComplete()
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions { BatchSize = 8 });
        var observers = new ConcurrentBag<RecordingObserver>();
        using var start = new Barrier(8);
        var threads = Enumerable.Range(0, 8).Select(thread => new Thread(() =>
        {
            start.SignalAndWait();
            for (var i = 0; i < 25; i++)
            {
                var observer = new RecordingObserver();
                var handle = engine.Open(Rows.Request((thread * 25) + i, s_schedule, observer));
                engine.RunSegment(handle, 2);
                if (i % 5 == 4)
                {
                    engine.Close(handle);
                    continue;
                }
                engine.RunSegment(handle, 3);
                observers.Add(observer);
            }
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        foreach (var observer in observers)
            await observer.Completed;
        await engine.DrainAsync().WaitAsync(TimeSpan.FromSeconds(60));
        var statistics = engine.Statistics;
        Assert.Equal((0, 0, 160L), (statistics.SlotsInUse, statistics.Pending, statistics.Completed));
    }

    [Fact]
    public async Task Journal_EachPass_HasTagsAndStepsBeforeTheNetworkRuns()
    {
        var journal = new ListJournal();
        using var model = new ToyDenoiser(Rows.Shape);
        model.Before = _ => Assert.Equal(model.Calls + 1, journal.Passes);
        await using var engine = new DenoisingEngine(model, new EngineOptions { Deterministic = true, Journal = journal });
        var observers = Enumerable.Range(0, 3).Select(_ => new RecordingObserver()).ToArray();
        for (var i = 0; i < 3; i++)
            engine.Start(Rows.Request(i, s_schedule, observers[i]));
        foreach (var observer in observers)
            await observer.Completed;
        Assert.Equal(15, journal.Records.Count);
        Assert.Equal(15, journal.Records.Distinct().Count());
        Assert.Equal([0, 1, 2, 3, 4], journal.Records.Where(r => r.Tag is 1).Select(r => r.Step));
    }

    [Fact]
    public async Task Observer_Slow_TheEngineWaitsAndNothingIsLost()
    {
        using var reading = new ManualResetEventSlim();
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions { BatchSize = 1, Slots = 1, OutputCapacity = 2 });
        var observer = new RecordingObserver { On = _ => reading.Wait() };
        engine.Start(Rows.Request(1, new ToySchedule(40), observer, captures: _ => TensorKinds.State));
        // One is held by the observer, two wait in the queue, the next waits to be posted; not one pass more.
        Assert.True(SpinWait.SpinUntil(() => (model.Calls, engine.Statistics.OutputQueue) == (4, 2), TimeSpan.FromSeconds(60)));
        reading.Set();
        await observer.Completed;
        Assert.Equal(40, observer.Captured.Count);
        Assert.True(engine.Statistics.OutputWaitTime > TimeSpan.Zero);
    }

    [Fact]
    public async Task RunSegment_AskedForWhenTheLastEnded_TheGroupStaysTogether()
    {
        using var gate = new ManualResetEventSlim();
        await using var engine = new DenoisingEngine(
            () =>
            {
                gate.Wait();
                return new ToyDenoiser(Rows.Shape);
            },
            new EngineOptions { BatchSize = 8, Linger = TimeSpan.FromSeconds(30), LingerShare = 1e9 });
        var observers = new RecordingObserver[8];
        var handles = new SlotHandle[8];
        for (var i = 0; i < 8; i++)
        {
            var row = i;
            observers[i] = new RecordingObserver
            {
                On = what =>
                {
                    if (what == "segment" && observers[row].Segments.Count < 9)
                        engine.RunSegment(handles[row], 1);
                },
            };
            handles[i] = engine.Open(Rows.Request(i, new ToySchedule(10), observers[i]));
            engine.RunSegment(handles[i], 1);
        }
        gate.Set();
        await Task.WhenAll(observers.Select(o => o.Completed));
        Assert.Equal((10L, 80L, 0L), (engine.Statistics.Turns, engine.Statistics.Evaluations, engine.Statistics.PaddedRows));
    }

    [Fact]
    public async Task RunSegment_OneOfTheGroupDoesNotGoOn_TheOthersDo()
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions { BatchSize = 8, LingerShare = 1e9 });
        var (stays, goes) = (new RecordingObserver(), new RecordingObserver());
        engine.RunSegment(engine.Open(Rows.Request(1, s_schedule, stays)), 1);
        engine.Start(Rows.Request(2, s_schedule, goes));
        await goes.Completed;
        await stays.NextSegmentAsync();
        Assert.Null(stays.Error);
    }

    sealed class ListJournal : IEvaluationJournal
    {
        public List<EvaluationRecord> Records { get; } = [];
        public int Passes { get; private set; }

        public void Evaluating(ReadOnlySpan<EvaluationRecord> rows)
        {
            Passes++;
            Records.AddRange(rows);
        }
    }
}

using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Taba.Diffusion.Engine;
using Taba.Diffusion.Schedules;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Engine;

/// <summary>One trajectory's misfortune is its own.</summary>
public sealed class EngineFaultTests
{
    static readonly ToySchedule s_schedule = new(5);

    static async Task<byte[]> Undisturbed(int seed)
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions { Deterministic = true, DeterministicBatch = 4 });
        var observer = new RecordingObserver();
        engine.Start(Rows.Request(seed, s_schedule, observer));
        return await observer.Completed;
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public async Task RunSegment_NonFinitePrediction_FailsThatRowWithStepAndPrecision(float bad)
    {
        var calls = 0;
        using var model = new ToyDenoiser(Rows.Shape)
        {
            After = (_, eps) =>
            {
                if (++calls != 3)
                    return eps;
                var spoilt = eps.clone();
                spoilt[1, 2, 3, 4] = torch.tensor(bad);
                return spoilt;
            },
        };
        await using var engine = new DenoisingEngine(
            model, new EngineOptions { Deterministic = true, DeterministicBatch = 4, NetworkPrecision = ScalarType.BFloat16 });
        var observers = await StartTogether(engine, 4, _ => TensorKinds.State);

        var error = await Assert.ThrowsAsync<NonFiniteStateException>(() => observers[1].Completed);
        Assert.Equal((2, ScalarType.BFloat16), (error.Step, error.Precision));
        Assert.Equal(2, observers[1].FailedStep);
        Assert.Equal([0, 1], observers[1].Captured.Select(c => c.Step));
        foreach (var healthy in new[] { 0, 2, 3 })
            Assert.Equal(await Undisturbed(healthy), await observers[healthy].Completed);
    }

    [Fact]
    public async Task RunSegment_OutOfMemory_HalvesTheBatchAndGoesOn()
    {
        var events = new ConcurrentQueue<EngineEvent>();
        using var model = new ToyDenoiser(Rows.Shape) { Before = rows => ThrowAbove(rows, 3) };
        await using var engine = new DenoisingEngine(model, new EngineOptions { BatchSize = 16, Events = events.Enqueue });
        var observers = await StartTogether(engine, 16);
        foreach (var observer in observers)
            await observer.Completed;
        Assert.Equal([8, 4, 2], events.OfType<BatchLimitLowered>().Select(e => e.Limit));
        Assert.Equal((3L, 2), (engine.Statistics.OutOfMemory, engine.Statistics.BatchLimit));
        Assert.Equal(16 * 5, engine.Statistics.Evaluations);
    }

    [Fact]
    public async Task RunSegment_OutOfMemoryAtOneRow_FailsThatRow()
    {
        var calls = 0;
        using var model = new ToyDenoiser(Rows.Shape) { Before = _ => ThrowAbove(++calls, 0, calls <= 2) };
        await using var engine = new DenoisingEngine(model, new EngineOptions { BatchSize = 2, Slots = 2 });
        var observers = await StartTogether(engine, 2);
        await Assert.ThrowsAsync<OutOfDeviceMemoryException>(() => observers[0].Completed);
        await observers[1].Completed;
    }

    [Fact]
    public async Task RunSegment_OutOfMemoryUnderDeterministic_NamesTheSetting()
    {
        using var model = new ToyDenoiser(Rows.Shape) { Before = rows => ThrowAbove(rows, 1) };
        await using var engine = new DenoisingEngine(model, new EngineOptions { Deterministic = true });
        var observer = new RecordingObserver();
        engine.Start(Rows.Request(1, s_schedule, observer));
        var error = await Assert.ThrowsAsync<OutOfDeviceMemoryException>(() => observer.Completed);
        Assert.Contains("--deterministic", error.Message, StringComparison.Ordinal);
        Assert.Contains("16", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunSegment_ModelThrowsWhateverItIsGiven_BlamesNoSampleAndTheEngineGoesOn()
    {
        var broken = true;
        using var model = new ToyDenoiser(Rows.Shape) { Before = _ => _ = broken ? throw new InvalidOperationException("broken") : 0 };
        await using var engine = new DenoisingEngine(model, new EngineOptions());
        var (first, second) = (new RecordingObserver(), new RecordingObserver());
        engine.Start(Rows.Request(1, s_schedule, first));
        Assert.Equal("broken", (await Assert.ThrowsAsync<PassFailedException>(() => first.Completed)).InnerException!.Message);
        broken = false;
        engine.Start(Rows.Request(1, s_schedule, second));
        await second.Completed;
        Assert.Equal((1L, 1L), (engine.Statistics.Failed, engine.Statistics.Completed));
    }

    [Theory]
    [InlineData("captured")]
    [InlineData("segment")]
    public async Task Observer_Throws_FailsItsTrajectoryOnly(string call)
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions());
        var throwing = new RecordingObserver { On = what => _ = what == call ? throw new IOException("disk full") : 0 };
        var fine = new RecordingObserver();
        engine.Start(Rows.Request(1, s_schedule, throwing, captures: _ => TensorKinds.Eps));
        engine.Start(Rows.Request(2, s_schedule, fine, captures: _ => TensorKinds.Eps));
        await Assert.ThrowsAsync<IOException>(() => throwing.Completed);
        await fine.Completed;
        Assert.Equal(5, fine.Captured.Count);
        Assert.Empty(throwing.Captured.Skip(call == "captured" ? 0 : 5));
    }

    [Fact]
    public async Task Captures_Throws_FailsItsTrajectoryOnly()
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions());
        var (throwing, fine) = (new RecordingObserver(), new RecordingObserver());
        engine.Start(Rows.Request(1, s_schedule, throwing, captures: k => k == 3 ? throw new FormatException("no") : TensorKinds.None));
        engine.Start(Rows.Request(2, s_schedule, fine));
        await Assert.ThrowsAsync<FormatException>(() => throwing.Completed);
        Assert.Equal(3, throwing.FailedStep);
        await fine.Completed;
    }

    [Fact]
    public async Task Open_RowOfAnotherShape_IsToldWithBothSizes()
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions());
        var observer = new RecordingObserver();
        engine.Start(new TrajectoryRequest
        {
            Schedule = s_schedule, Direction = Direction.Sampling, FirstStep = 0, State = new byte[100], Observer = observer,
        });
        var error = await Assert.ThrowsAsync<ArgumentException>(() => observer.Completed);
        Assert.Contains("100 bytes", error.Message, StringComparison.Ordinal);
        Assert.Contains("768", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, engine.Statistics.SlotsInUse);
    }

    [Fact]
    public async Task Ctor_FactoryThrows_ReadyAndTrajectoriesFail()
    {
        var events = new ConcurrentQueue<EngineEvent>();
        using var gate = new ManualResetEventSlim();
        await using var engine = new DenoisingEngine(
            () =>
            {
                gate.Wait();
                throw new FileNotFoundException("no weights");
            },
            new EngineOptions { Events = events.Enqueue });
        var observer = new RecordingObserver();
        engine.Start(Rows.Request(1, s_schedule, observer));
        gate.Set();
        var error = await Assert.ThrowsAsync<EngineStoppedException>(() => observer.Completed);
        Assert.IsType<FileNotFoundException>(error.InnerException);
        await Assert.ThrowsAsync<EngineStoppedException>(() => engine.Ready);
        await Assert.ThrowsAsync<EngineStoppedException>(() => engine.Completion);
        Assert.Contains(events, e => e is EngineFaulted);
        Assert.Contains("no weights", Assert.Throws<EngineStoppedException>(
            () => engine.Open(Rows.Request(1, s_schedule, observer))).InnerException!.Message, StringComparison.Ordinal);
    }

    /// <summary>
    /// Opens <paramref name="count"/> trajectories while the engine is held in a first pass, so that they run as one batch.
    /// </summary>
    internal static async Task<RecordingObserver[]> StartTogether(
        DenoisingEngine engine, int count, Func<int, TensorKinds>? captures = null, Func<int, byte[]>? states = null)
    {
        await engine.Ready;
        using var held = new ManualResetEventSlim();
        using var gate = new ManualResetEventSlim();
        // A schedule that waits holds the engine's thread before any of the rows is picked.
        var holder = new RecordingObserver();
        engine.Start(Rows.Request(0, s_schedule, holder, captures: _ =>
        {
            held.Set();
            gate.Wait();
            throw new OperationCanceledException();
        }));
        held.Wait();
        var observers = Enumerable.Range(0, count).Select(_ => new RecordingObserver()).ToArray();
        for (var seed = 0; seed < count; seed++)
            engine.Start(Rows.Request(
                seed, s_schedule, observers[seed], captures: captures) with
            { State = states?.Invoke(seed) ?? Rows.Make(seed) });
        gate.Set();
        await Assert.ThrowsAsync<OperationCanceledException>(() => holder.Completed);
        return observers;
    }

    [SuppressMessage("Usage", "CA2201", Justification = "It is what TorchSharp throws.")]
    internal static ExternalException Torch(string message) => new(message);

    static void ThrowAbove(int rows, int limit, bool when = true)
    {
        if (when && rows > limit)
            throw Torch("CUDA out of memory. Tried to allocate 2.00 GiB.");
    }
}

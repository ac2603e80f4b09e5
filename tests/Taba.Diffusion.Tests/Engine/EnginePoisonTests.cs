using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Taba.Diffusion.Engine;
using Taba.Diffusion.Schedules;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Engine;

/// <summary>A network that throws: whose fault it is, and that nobody else pays for it.</summary>
public sealed class EnginePoisonTests
{
    const int PoisonedStep = 2;

    static readonly ToySchedule s_schedule = new(5);

    /// <summary>A row that <see cref="ThrowAtPoison"/> knows again at any step.</summary>
    static byte[] Poisonous(int seed)
    {
        var row = Rows.Make(seed);
        MemoryMarshal.Cast<byte, float>(row.AsSpan())[0] = 1e6f;
        return row;
    }

    /// <summary>Throws when a poisonous row stands at <see cref="PoisonedStep"/>.</summary>
    static void ThrowAtPoison(Tensor xt, Tensor timesteps)
    {
        for (var row = 0; row < xt.size(0); row++)
        {
            var timestep = timesteps[row].item<float>();
            var stands = new[] { Direction.Sampling, Direction.Inversion }.Any(d => s_schedule.Step(d, PoisonedStep).Timestep == timestep);
            if (stands && Math.Abs(xt[row, 0, 0, 0].item<float>()) > 1e3f)
                throw EngineFaultTests.Torch("index out of range in self");
        }
    }

    [Theory]
    [InlineData(false, new[] { 5 })]
    [InlineData(true, new[] { 5 })]
    [InlineData(true, new[] { 0, 7 })]
    [InlineData(true, new[] { 0, 1, 2, 3, 4, 5, 6 })]
    public async Task RunSegment_RowsThatMakeTheNetworkThrow_AreFoundAndTheOthersKeepTheirNumbers(bool deterministic, int[] poisonous)
    {
        var options = new EngineOptions { BatchSize = 8, Deterministic = deterministic, DeterministicBatch = 8 };
        using var model = new ToyDenoiser(Rows.Shape) { Look = ThrowAtPoison };
        await using var engine = new DenoisingEngine(model, options);
        var observers = await EngineFaultTests.StartTogether(
            engine, 8, states: seed => poisonous.Contains(seed) ? Poisonous(seed) : Rows.Make(seed));
        using var healthyModel = new ToyDenoiser(Rows.Shape);
        await using var healthy = new DenoisingEngine(healthyModel, options);
        for (var seed = 0; seed < 8; seed++)
        {
            if (poisonous.Contains(seed))
            {
                var error = await Assert.ThrowsAsync<PoisonSampleException>(() => observers[seed].Completed);
                Assert.Equal((PoisonedStep, PoisonedStep), (error.Step, observers[seed].FailedStep));
                Assert.Contains("index out of range", error.Message, StringComparison.Ordinal);
                continue;
            }
            var alone = new RecordingObserver();
            healthy.Start(Rows.Request(seed, s_schedule, alone));
            if (deterministic)
                Assert.Equal(await alone.Completed, await observers[seed].Completed);
            else
                Rows.EqualWithin(await alone.Completed, await observers[seed].Completed, 1e-5f);
        }
        // One more failed: the row that held the engine until all were there.
        Assert.Equal((poisonous.Length + 1L, 8L - poisonous.Length), (engine.Statistics.Failed, engine.Statistics.Completed));
        Assert.Equal((0, 0), (engine.Statistics.SlotsInUse, engine.Statistics.Pending));
    }

    [Fact]
    public async Task RunSegment_PoisonousRowWithoutCompany_IsBlamedBecauseZerosPass()
    {
        using var model = new ToyDenoiser(Rows.Shape) { Look = ThrowAtPoison };
        await using var engine = new DenoisingEngine(model, new EngineOptions { Deterministic = true, DeterministicBatch = 4 });
        var observers = await EngineFaultTests.StartTogether(engine, 1, states: Poisonous);
        await Assert.ThrowsAsync<PoisonSampleException>(() => observers[0].Completed);
        Assert.All(model.Shapes, rows => Assert.Equal(4, rows));
    }

    [Fact]
    public async Task RunSegment_NetworkThrowsOnce_NobodyFails()
    {
        var calls = 0;
        using var model = new ToyDenoiser(
            Rows.Shape)
        { Before = _ => _ = ++calls == 3 ? throw new InvalidOperationException("a hiccup") : 0 };
        await using var engine = new DenoisingEngine(model, new EngineOptions { BatchSize = 4 });
        foreach (var observer in await EngineFaultTests.StartTogether(engine, 4))
            Assert.Equal(new SegmentOutcome(5, true, 5), (await observer.Completed, observer.Segments.Single().Outcome).Outcome);
        Assert.Equal(4 * 5, engine.Statistics.Evaluations);
    }

    [Fact]
    public async Task RunSegment_EveryRowThrowsForAWhile_CallsStayBoundedAndNoSampleIsBlamed()
    {
        using var model = new ToyDenoiser(Rows.Shape) { Before = _ => throw new InvalidOperationException("broken") };
        await using var engine = new DenoisingEngine(model, new EngineOptions { BatchSize = 8 });
        var calls = 0;
        model.Before = _ =>
        {
            calls++;
            throw new InvalidOperationException("broken");
        };
        var observers = await EngineFaultTests.StartTogether(engine, 8);
        foreach (var observer in observers)
            Assert.Contains(
                "'model'", (await Assert.ThrowsAsync<PassFailedException>(() => observer.Completed)).Message, StringComparison.Ordinal);
        // 8, twice 4, four times 2, eight times 1, and the zeros.
        Assert.Equal(16, calls);
    }

    [Fact]
    public async Task RunSegment_JournalThrows_RowsFailWithItsOwnErrorAndNothingIsTriedAgain()
    {
        var journal = new FullJournal();
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions { Journal = journal });
        var observers = await EngineFaultTests.StartTogether(engine, 3);
        foreach (var observer in observers)
            Assert.Equal("no space", (await Assert.ThrowsAsync<IOException>(() => observer.Completed)).Message);
        Assert.Equal((1, 0), (journal.Calls, model.Calls));
    }

    [Theory]
    [InlineData("CUDA error: an illegal memory access was encountered\nCompile with TORCH_USE_CUDA_DSA")]
    [InlineData("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED")]
    public async Task RunSegment_DeviceBreaks_EngineStopsAndSaysSo(string message)
    {
        var events = new ConcurrentQueue<EngineEvent>();
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions { Events = events.Enqueue });
        await engine.Ready;
        model.Before = _ => throw EngineFaultTests.Torch(message);
        var observer = new RecordingObserver();
        engine.Start(Rows.Request(1, s_schedule, observer));
        var error = await Assert.ThrowsAsync<EngineStoppedException>(() => observer.Completed);
        Assert.IsType<DeviceBrokenException>(error.InnerException);
        Assert.DoesNotContain("TORCH_USE_CUDA_DSA", error.Message, StringComparison.Ordinal);
        Assert.IsType<DeviceBrokenException>(Assert.Single(events.OfType<EngineFaulted>()).Error);
        await Assert.ThrowsAsync<EngineStoppedException>(() => engine.Completion);
        Assert.Throws<EngineStoppedException>(() => engine.Open(Rows.Request(1, s_schedule, observer)));
    }

    [Fact]
    public async Task PassUnderWay_InAPass_TellsRowsStepAndTag()
    {
        using var entered = new SemaphoreSlim(0);
        using var gate = new ManualResetEventSlim();
        using var model = new ToyDenoiser(Rows.Shape)
        {
            Before = _ =>
            {
                entered.Release();
                gate.Wait();
            },
        };
        await using var engine = new DenoisingEngine(model, new EngineOptions { Deterministic = true, DeterministicBatch = 4 });
        var observer = new RecordingObserver();
        engine.Start(Rows.Request(3, s_schedule, observer));
        Assert.True(await entered.WaitAsync(TimeSpan.FromSeconds(60)));
        var pass = engine.PassUnderWay;
        Assert.NotNull(pass);
        Assert.Equal((4, 0, (object?)3), (pass.Rows, pass.Step, pass.Tag));
        Assert.True(pass.Elapsed >= TimeSpan.Zero);
        gate.Set();
        await observer.Completed;
        await engine.DrainAsync().WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Null(engine.PassUnderWay);
    }

    sealed class FullJournal : IEvaluationJournal
    {
        public int Calls { get; private set; }

        public void Evaluating(ReadOnlySpan<EvaluationRecord> rows)
        {
            Calls++;
            throw new IOException("no space");
        }
    }
}

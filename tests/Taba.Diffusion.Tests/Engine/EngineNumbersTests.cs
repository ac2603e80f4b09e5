using Taba.Diffusion.Engine;
using Taba.Diffusion.Schedules;
using TorchSharp;

namespace Taba.Diffusion.Tests.Engine;

/// <summary>What the engine computes does not depend on how it batches.</summary>
public sealed class EngineNumbersTests
{
    static readonly Scalar s_half = 0.5f.ToScalar();

    /// <summary>Twenty trajectories of different lengths, directions, schedules and rules.</summary>
    static IEnumerable<(int Seed, IDiffusionSchedule Schedule)> Mixture() =>
        Enumerable.Range(0, 20).Select(
            seed => (seed, (IDiffusionSchedule)new ToySchedule(
                3 + (seed % 4), seed % 3 == 0 ? PredictionRule.Plain : PredictionRule.ClampAndRederive)));

    static async Task<byte[][]> RunTogether(EngineOptions options, StateShape? shape = null)
    {
        using var model = new ToyDenoiser(shape ?? Rows.Shape);
        await using var engine = new DenoisingEngine(model, options);
        var observers = new List<RecordingObserver>();
        foreach (var (seed, schedule) in Mixture())
        {
            observers.Add(new RecordingObserver());
            engine.Start(Rows.Request(seed, schedule, observers[^1]));
        }
        return await Task.WhenAll(observers.Select(o => o.Completed));
    }

    static async Task<byte[][]> RunOneByOne(EngineOptions options)
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, options);
        var results = new List<byte[]>();
        foreach (var (seed, schedule) in Mixture())
        {
            var observer = new RecordingObserver();
            engine.Start(Rows.Request(seed, schedule, observer));
            results.Add(await observer.Completed);
        }
        return [.. results];
    }

    [Fact]
    public async Task RunSegment_MixtureUnderDeterministic_EqualsOneByOneBitForBit()
    {
        var together = await RunTogether(new EngineOptions { Deterministic = true, DeterministicBatch = 8 });
        var alone = await RunOneByOne(new EngineOptions { Deterministic = true, DeterministicBatch = 8 });
        for (var i = 0; i < together.Length; i++)
            Assert.Equal(alone[i], together[i]);
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 7)]
    [InlineData(16, 40)]
    public async Task RunSegment_OtherBatchSizeUnderDeterministic_SameBits(int batchSize, int slots)
    {
        var expected = await RunTogether(new EngineOptions { Deterministic = true, DeterministicBatch = 6 });
        var actual = await RunTogether(
            new EngineOptions { Deterministic = true, DeterministicBatch = 6, BatchSize = batchSize, Slots = slots });
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i]);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(7, 9)]
    [InlineData(32, 64)]
    public async Task RunSegment_OtherBatchSize_AgreesWithinRounding(int batchSize, int slots)
    {
        var expected = await RunTogether(new EngineOptions());
        var actual = await RunTogether(new EngineOptions { BatchSize = batchSize, Slots = slots });
        for (var i = 0; i < expected.Length; i++)
            Rows.EqualWithin(expected[i], actual[i], 1e-4f);
    }

    [Theory]
    [InlineData(Direction.Sampling, PredictionRule.Plain)]
    [InlineData(Direction.Sampling, PredictionRule.ClampAndRederive)]
    [InlineData(Direction.Inversion, PredictionRule.Plain)]
    [InlineData(Direction.Inversion, PredictionRule.ClampAndRederive)]
    public async Task RunSegment_LinearModel_EqualsTheRecurrenceInFloat64(Direction direction, PredictionRule rule)
    {
        var schedule = new ToySchedule(8, rule);
        using var model = new ToyDenoiser(Rows.Shape) { After = (xt, _) => xt.mul(s_half) };
        await using var engine = new DenoisingEngine(model, new EngineOptions());
        var observer = new RecordingObserver();
        engine.Start(Rows.Request(3, schedule, observer, direction));
        var actual = await observer.Completed;

        var row = Rows.Make(3);
        for (var i = 0; i < Rows.Shape.Elements; i++)
        {
            double x = Rows.Floats(row)[i];
            for (var k = 0; k < 8; k++)
            {
                var step = schedule.Step(direction, k);
                var eps = 0.5 * x;
                var x0 = (x - (Math.Sqrt(1 - step.AlphaBar) * eps)) / Math.Sqrt(step.AlphaBar);
                if (rule == PredictionRule.ClampAndRederive)
                {
                    x0 = Math.Clamp(x0, -1, 1);
                    eps = (x - (Math.Sqrt(step.AlphaBar) * x0)) / Math.Sqrt(1 - step.AlphaBar);
                }
                x = (Math.Sqrt(step.AlphaBarNext) * x0) + (Math.Sqrt(1 - step.AlphaBarNext) * eps);
            }
            Assert.Equal(x, Rows.Floats(actual)[i], 3e-5);
        }
    }

    [Fact]
    public async Task Open_AtAnEarlierSegmentsEnd_EqualsTheUnbrokenRunBitForBit()
    {
        var schedule = new ToySchedule(9);
        var options = new EngineOptions { Deterministic = true, DeterministicBatch = 4 };
        var (unbroken, first, second) = (new RecordingObserver(), new RecordingObserver(), new RecordingObserver());
        using var model = new ToyDenoiser(Rows.Shape);
        await using (var engine = new DenoisingEngine(model, options))
        {
            engine.Start(Rows.Request(4, schedule, unbroken));
            await unbroken.Completed;
            engine.RunSegment(engine.Open(Rows.Request(4, schedule, first)), 5);
            await first.NextSegmentAsync();
        }
        Assert.Equal(new SegmentOutcome(5, false, 5), first.Segments[0].Outcome);

        await using (var engine = new DenoisingEngine(model, options))
        {
            engine.Start(new TrajectoryRequest
            {
                Schedule = schedule, Direction = Direction.Sampling, FirstStep = 5, State = first.Segments[0].State, Observer = second,
            });
            Assert.Equal(await unbroken.Completed, await second.Completed);
        }
        Assert.Equal(new SegmentOutcome(9, true, 4), second.Segments[0].Outcome);
    }

    [Fact]
    public async Task RunSegment_SeveralInAdvance_EachEndsInOrder()
    {
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions());
        var observer = new RecordingObserver();
        var handle = engine.Open(Rows.Request(0, new ToySchedule(6), observer));
        engine.RunSegment(handle, 1);
        engine.RunSegment(handle, 3);
        engine.RunSegment(handle, 2);
        await observer.Completed;
        Assert.Equal([new(1, false, 1), new(4, false, 3), new(6, true, 2)], observer.Segments.Select(s => s.Outcome));
        Assert.All(observer.Elapsed, elapsed => Assert.InRange(elapsed.Ticks, 1, TimeSpan.TicksPerMinute));
    }

    [Fact]
    public async Task RunSegment_FewerSlotsThanTrajectories_AllComplete()
    {
        var few = await RunTogether(new EngineOptions { Deterministic = true, DeterministicBatch = 2, Slots = 2 });
        var many = await RunTogether(new EngineOptions { Deterministic = true, DeterministicBatch = 2, Slots = 64 });
        for (var i = 0; i < few.Length; i++)
            Assert.Equal(many[i], few[i]);
    }

    [Fact]
    public async Task Open_ForwardNoise_DiffusesTheStateFirst()
    {
        var schedule = new ToySchedule(6);
        var (diffused, given) = (new RecordingObserver(), new RecordingObserver());
        using var model = new ToyDenoiser(Rows.Shape);
        await using var engine = new DenoisingEngine(model, new EngineOptions { Deterministic = true });
        var (x, noise) = (Rows.Make(1), Rows.Make(2));
        engine.Start(new TrajectoryRequest
        {
            Schedule = schedule, Direction = Direction.Inversion, FirstStep = 2, State = x, Observer = diffused,
            ForwardNoise = noise, ForwardAlphaBar = schedule.ForwardAlphaBar(2),
        });
        var mixed = new float[Rows.Shape.Elements];
        var (signal, spread) = (Math.Sqrt(schedule.ForwardAlphaBar(2)), Math.Sqrt(1 - schedule.ForwardAlphaBar(2)));
        for (var i = 0; i < mixed.Length; i++)
            mixed[i] = (float)((signal * Rows.Floats(x)[i]) + (spread * Rows.Floats(noise)[i]));
        engine.Start(new TrajectoryRequest
        {
            Schedule = schedule, Direction = Direction.Inversion, FirstStep = 2, Observer = given,
            State = System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>(mixed).ToArray(),
        });
        Assert.Equal(await given.Completed, await diffused.Completed);
    }

    [Fact]
    public async Task Open_ClassConditionalModel_EachRowHasItsClass()
    {
        using var model = new ToyDenoiser(Rows.Shape, classCount: 4);
        await using var engine = new DenoisingEngine(model, new EngineOptions { Deterministic = true });
        async Task<byte[]> Run(long label)
        {
            var observer = new RecordingObserver();
            engine.Start(new TrajectoryRequest
            {
                Schedule = new ToySchedule(4), Direction = Direction.Inversion, FirstStep = 0, State = Rows.Make(1), Observer = observer,
                ClassLabel = label,
            });
            return await observer.Completed;
        }

        var together = await Task.WhenAll(Run(0), Run(3), Run(0));
        Assert.Equal(together[0], together[2]);
        Assert.NotEqual(together[0], together[1]);
        Assert.Equal(await Run(3), together[1]);
        await Assert.ThrowsAsync<ArgumentException>(() => Run(4));
    }
}

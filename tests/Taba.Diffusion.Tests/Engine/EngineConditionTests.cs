using System.Runtime.InteropServices;
using Taba.Diffusion.Engine;
using Taba.Diffusion.Models;
using Taba.Diffusion.Schedules;
using TorchSharp;

namespace Taba.Diffusion.Tests.Engine;

/// <summary>
/// Classes, prompts and guidance in one batch with all else, followed by hand in float64. One test counts all tensors of the
/// process.
/// </summary>
[Collection(nameof(Alone))]
public sealed class EngineConditionTests
{
    static readonly TextShape s_text = new(2, 3);

    [Theory]
    [InlineData(16)]
    [InlineData(3)]
    [InlineData(2)]
    public async Task RunSegment_GuidedAndPlainClassesTogether_EachAsByHand(int batchSize)
    {
        using var model = new LinearDenoiser(10, null);
        await using var engine = new DenoisingEngine(model, new EngineOptions { BatchSize = batchSize });
        var runs = Enumerable.Range(0, 12).Select(
            seed => (Seed: seed, Guidance: seed % 3 == 0 ? 1 : 1.5 + seed, Observer: new RecordingObserver())).ToList();
        foreach (var (seed, guidance, observer) in runs)
            engine.Start(With(Request(seed, observer), label: seed % 10, guidance: guidance));

        foreach (var (seed, guidance, observer) in runs)
        {
            var (c, u) = (LinearDenoiser.OfClass(seed % 10), LinearDenoiser.OfClass(10));
            ByHand(seed, guidance > 1 ? u + (guidance * (c - u)) : c, await observer.Completed);
            Assert.Equal(guidance > 1 ? 10 : 5, observer.Segments.Sum(s => s.Outcome.Evaluations));
        }
        Assert.All(model.Passes, rows => Assert.InRange(rows, 1, batchSize));
    }

    [Fact]
    public async Task RunSegment_Prompts_EachItsOwnAndNoneIsLeftOnTheDevice()
    {
        long before;
        using (var model = new LinearDenoiser(null, s_text))
        await using (var engine = new DenoisingEngine(model, new EngineOptions { BatchSize = 7 }))
        {
            await engine.Ready;
            before = torch.Tensor.TotalCount;
            for (var round = 0; round < 3; round++)
            {
                var runs = Enumerable.Range(0, 20).Select(seed => (Seed: seed, Observer: new RecordingObserver())).ToList();
                foreach (var (seed, observer) in runs)
                    engine.Start(With(Request(seed, observer), text: Prompt(seed % 4), guidance: seed % 2 == 0 ? 3 : 1));
                foreach (var (seed, observer) in runs)
                    ByHand(seed, seed % 2 == 0 ? Mean(9) + (3 * (Mean(seed % 4) - Mean(9))) : Mean(seed % 4), await observer.Completed);
            }
        }
        // The engine's own buffers are gone with it; a prompt that was not let go of would still be there.
        Assert.InRange(torch.Tensor.TotalCount, 0, before);
    }

    [Fact]
    public async Task RunSegment_GuidedUnderDeterministic_SameBitsAloneAndTogether()
    {
        async Task<byte[]> Run(int neighbours)
        {
            using var model = new LinearDenoiser(10, null);
            await using var engine = new DenoisingEngine(model, new EngineOptions { Deterministic = true, DeterministicBatch = 8 });
            var observer = new RecordingObserver();
            var others = Enumerable.Range(1, neighbours).Select(_ => new RecordingObserver()).ToList();
            foreach (var (other, i) in others.Select((o, i) => (o, i)))
                engine.Start(With(Request(50 + i, other), label: 3, guidance: i % 2 == 0 ? 4 : 1));
            engine.Start(With(Request(0, observer), label: 7, guidance: 4));
            var result = await observer.Completed;
            await Task.WhenAll(others.Select(o => o.Completed));
            Assert.All(model.Passes, rows => Assert.Equal(8, rows));
            return result;
        }
        Assert.Equal(await Run(0), await Run(5));
    }

    [Fact]
    public async Task Open_GuidanceThatCannotBe_FailsWithTheReason()
    {
        Assert.Contains(
            "no unconditional prediction", (await FailureAsync(new LinearDenoiser(null, null), 16, r => With(r, guidance: 7))).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "2 rows", (await FailureAsync(new LinearDenoiser(10, null), 1, r => With(r, label: 3, guidance: 7))).Message,
            StringComparison.Ordinal);
        Assert.Contains("prompt", (await FailureAsync(new LinearDenoiser(null, s_text), 16, r => r)).Message, StringComparison.Ordinal);
        Assert.Contains(
            "1x3", (await FailureAsync(new LinearDenoiser(null, s_text), 16, r => With(r, text: Prompt(1, new TextShape(1, 3))))).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "takes no text", (await FailureAsync(new LinearDenoiser(10, null), 16, r => With(r, label: 1, text: Prompt(1)))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunSegment_NullClass_IsAllowedWithoutGuidance()
    {
        using var model = new LinearDenoiser(10, null);
        await using var engine = new DenoisingEngine(model, new EngineOptions());
        var observer = new RecordingObserver();
        engine.Start(With(Request(2, observer), label: 10));
        ByHand(2, LinearDenoiser.OfClass(10), await observer.Completed);
    }

    static async Task<Exception> FailureAsync(IDenoiser model, int batchSize, Func<TrajectoryRequest, TrajectoryRequest> change)
    {
        using (model)
        {
            await using var engine = new DenoisingEngine(model, new EngineOptions { BatchSize = batchSize });
            var observer = new RecordingObserver();
            engine.Start(change(Request(0, observer)));
            return await Assert.ThrowsAnyAsync<ArgumentException>(() => observer.Completed);
        }
    }

    static TrajectoryRequest Request(int seed, ITrajectoryObserver observer) =>
        Rows.Request(seed, new ToySchedule(5, PredictionRule.Plain), observer, Direction.Inversion);

    static TrajectoryRequest With(TrajectoryRequest request, long? label = null, TextEmbedding? text = null, double guidance = 1) => new()
    {
        Schedule = request.Schedule,
        Direction = request.Direction,
        FirstStep = request.FirstStep,
        State = request.State,
        Observer = request.Observer,
        ClassLabel = label,
        Text = text,
        NullText = text is null ? null : Prompt(9),
        Guidance = guidance,
    };

    static TextEmbedding Prompt(int number, TextShape? shape = null)
    {
        var values = Enumerable.Range(0, (int)(shape ?? s_text).Elements).Select(i => (0.1f * number) + (0.01f * i)).ToArray();
        return new($"prompt {number}", MemoryMarshal.AsBytes<float>(values).ToArray(), torch.ScalarType.Float32, shape ?? s_text);
    }

    static double Mean(int number) => (0.1 * number) + (0.01 * 2.5);

    /// <summary>The plain DDIM recurrence with eps = 0.3·x + 0.001·t + c.</summary>
    static void ByHand(int seed, double c, byte[] actual)
    {
        var schedule = new ToySchedule(5, PredictionRule.Plain);
        var expected = new float[Rows.Shape.Elements];
        var x = Rows.Floats(Rows.Make(seed));
        for (var i = 0; i < x.Length; i++)
        {
            double value = x[i];
            for (var k = 0; k < 5; k++)
            {
                var step = schedule.Step(Direction.Inversion, k);
                var eps = (0.3 * value) + (0.001 * step.Timestep) + c;
                var xStart = (value - (Math.Sqrt(1 - step.AlphaBar) * eps)) / Math.Sqrt(step.AlphaBar);
                value = (Math.Sqrt(step.AlphaBarNext) * xStart) + (Math.Sqrt(1 - step.AlphaBarNext) * eps);
            }
            expected[i] = (float)value;
        }
        Rows.EqualWithin(MemoryMarshal.AsBytes<float>(expected).ToArray(), actual, 1e-5f);
    }
}

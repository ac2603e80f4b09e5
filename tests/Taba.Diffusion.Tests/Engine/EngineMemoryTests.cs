using Taba.Diffusion.Engine;
using Taba.Diffusion.Schedules;
using TorchSharp;

namespace Taba.Diffusion.Tests.Engine;

/// <summary>Counts all tensors of the process, so nothing else may run beside it.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(Alone))]
public sealed class EngineMemoryTests
{
    /// <summary>Each case has one batch shape only, whatever the timing: the small tensors of a shape stay as long as the engine.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task RunSegment_ThousandsOfSteps_NoTensorIsLeftBehind(bool withSwaps)
    {
        using var model = new ToyDenoiser(Rows.Shape);
        var options = withSwaps
            ? new EngineOptions { BatchSize = 1, Slots = 12 }
            : new EngineOptions { Deterministic = true, DeterministicBatch = 8, Slots = 12 };
        await using var engine = new DenoisingEngine(model, options);
        async Task Round(int seed)
        {
            var observers = Enumerable.Range(0, 16).Select(_ => new RecordingObserver()).ToArray();
            for (var i = 0; i < 16; i++)
            {
                var swapped = withSwaps && i % 4 == 0;
                engine.Start(new TrajectoryRequest
                {
                    Schedule = new ToySchedule(50), Direction = i % 2 == 0 ? Direction.Sampling : Direction.Inversion,
                    FirstStep = 0, State = Rows.Make(seed + i),
                    Observer = observers[i],
                    Swap = swapped ? SwapKind.Eps : null, SwapBefore = swapped ? 5 : 0, SwapRow = swapped ? k => Rows.Make(k) : null,
                    Captures = k => k % 10 == 0 ? TensorKinds.State | TensorKinds.Eps | TensorKinds.PredXstart : TensorKinds.None,
                });
            }
            await Task.WhenAll(observers.Select(o => o.Completed));
        }

        for (var round = 0; round < 3; round++)
            await Round(round);
        var tensors = torch.Tensor.TotalCount;
        for (var round = 0; round < 16; round++)
            await Round(round);
        Assert.True(engine.Statistics.Turns > 1500);
        AssertNotMoreThan(tensors);
    }

    [Fact]
    public async Task RunSegment_HundredsOfPassesThatThrow_NoTensorIsLeftBehind()
    {
        var calls = 0;
        using var model = new ToyDenoiser(Rows.Shape)
        {
            After = (_, eps) => ++calls % 3 == 0 ? throw EngineFaultTests.Torch("a passing trouble") : eps,
        };
        // One batch shape, whatever the timing.
        await using var engine = new DenoisingEngine(model, new EngineOptions { Deterministic = true, DeterministicBatch = 8, Slots = 12 });
        async Task Round(int seed)
        {
            var observers = Enumerable.Range(0, 16).Select(_ => new RecordingObserver()).ToArray();
            for (var i = 0; i < 16; i++)
            {
                engine.Start(Rows.Request(
                    seed + i, new ToySchedule(50), observers[i], captures: k => k % 10 == 0
                        ? TensorKinds.State | TensorKinds.Eps
                        : TensorKinds.None));
            }
            await Task.WhenAll(observers.Select(o => o.Completed.ContinueWith(
                static _ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default)));
        }

        for (var round = 0; round < 2; round++)
            await Round(round);
        var tensors = torch.Tensor.TotalCount;
        for (var round = 0; round < 8; round++)
            await Round(round);
        Assert.True(calls > 600);
        AssertNotMoreThan(tensors);
    }

    /// <summary>The tensors of the last turn may still be with the output thread, and go in a moment.</summary>
    static void AssertNotMoreThan(long tensors) => Assert.True(
        SpinWait.SpinUntil(() => torch.Tensor.TotalCount <= tensors, TimeSpan.FromSeconds(20)),
        $"{torch.Tensor.TotalCount} tensors instead of {tensors} are left.");
}

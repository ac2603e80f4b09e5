using System.Runtime.InteropServices;
using Taba.Diffusion.Engine;

namespace Taba.Diffusion.Tests.Engine;

/// <summary>Which batch is chosen of a network whose passes take what a test says.</summary>
public sealed class BatchProbeTests
{
    static readonly BatchRange s_processor =
        new(16, Least: 4, Most: 64, First: 1, LeastPass: TimeSpan.FromMilliseconds(5), Budget: TimeSpan.FromSeconds(1.5));

    static readonly BatchRange s_gpu =
        new(64, Least: 16, Most: 512, First: 16, LeastPass: TimeSpan.Zero, Budget: TimeSpan.FromSeconds(3));

    readonly List<int> _passes = [];

    [Fact]
    public void Run_EveryBatchIsAsFast_TakesTheDefault()
    {
        var found = Probe(s_processor, rows => 4.0 * rows);

        Assert.Equal(16, found.Rows);
        Assert.Equal([4, 8, 16, 32], found.Measured.Select(s => s.BatchSize));
        Assert.All(found.Measured, s => Assert.Equal(250, s.PerSecond, 6));
        Assert.Equal(_passes.Sum(), found.Evaluations);
    }

    /// <summary>A GPU that is idle between the launches of its kernels: 6 ms, or a tenth of one a row.</summary>
    [Fact]
    public void Run_LargerBatchesAreFaster_DoublesUntilThatGainsNothing()
    {
        Assert.Equal(64, Probe(s_gpu, rows => Math.Max(6, 0.1 * rows)).Rows);
        Assert.Equal(256, Probe(s_gpu, rows => Math.Max(24, 0.1 * rows)).Rows);
        Assert.DoesNotContain(1024, _passes);
        Assert.Equal(512, Probe(s_gpu, _ => 100).Rows);
    }

    [Fact]
    public void Run_SmallBatchesAreFaster_HalvesDownToTheSmallestOfEqualOnes()
    {
        // A batch of up to eight rows stays in the cache.
        var found = Probe(s_processor, rows => rows <= 8 ? 3.0 * rows : 4.0 * rows);

        Assert.Equal(4, found.Rows);
        Assert.DoesNotContain(2, _passes);
    }

    [Fact]
    public void Run_GainBelowFivePercent_StaysWithTheDefault()
    {
        Assert.Equal(16, Probe(s_processor, rows => (rows == 8 ? 3.85 : 4.0) * rows).Rows);
        Assert.Equal(8, Probe(s_processor, rows => (rows == 8 ? 3.7 : 4.0) * rows).Rows);
    }

    [Fact]
    public void Run_FastOnceByChance_IsNotBelievedIn()
    {
        // The default was disturbed while it was measured first.
        var found = Probe(s_processor, rows => rows == 16 && _passes.Count(p => p == 16) == 2 ? 100 : 4.0 * rows);

        Assert.Equal(16, found.Rows);
    }

    [Fact]
    public void Run_NoTimeToLookAgain_StaysWithTheDefault()
    {
        Assert.Equal(8, Probe(s_processor, rows => (rows == 8 ? 12 : 15) * rows).Rows);
        Assert.Equal(16, Probe(s_processor, rows => (rows == 8 ? 20 : 25) * rows).Rows);
        Assert.Equal([1, 1], _passes);
    }

    /// <summary>ADM-256 takes five seconds a row on two cores.</summary>
    [Fact]
    public void Run_RowTakesSeconds_IsOnePass()
    {
        var found = Probe(s_processor, rows => 5000.0 * rows);

        Assert.Equal((16, 1L), (found.Rows, found.Evaluations));
        Assert.Equal([1], _passes);
        Assert.Empty(found.Measured);
    }

    [Theory]
    [InlineData(0.3)]
    [InlineData(3)]
    [InlineData(50)]
    [InlineData(150)]
    [InlineData(1000)]
    public void Run_AnyNetwork_KeepsToItsTime(double milliseconds)
    {
        var found = Probe(s_processor, rows => milliseconds * (rows + 1));

        Assert.True(found.Elapsed <= s_processor.Budget + TimeSpan.FromMilliseconds(2 * milliseconds), $"{found.Elapsed}");
    }

    [Fact]
    public void Run_NetworkTakesNextToNothing_LooksNoFurther()
    {
        Assert.Equal(16, Probe(s_processor, _ => 4).Rows);
        Assert.Equal([1, 1, 16, 16], _passes);
    }

    [Fact]
    public void Run_MemoryRunsOut_ChoosesAmongWhatFits()
    {
        Assert.Equal(128, Probe(s_gpu, rows => rows > 128 ? null : 10).Rows);
        Assert.Equal(32, Probe(s_gpu, rows => rows > 32 ? null : 10).Rows);
        Assert.Equal(64, Probe(s_gpu, _ => null).Rows);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Measure_Network_EvaluatesBatchesOfThatSize(bool classes)
    {
        using var network = new ToyDenoiser(Rows.Shape, classes ? 3 : null);

        var speed = new NetworkSpeed(network).Measure(5, TimeSpan.Zero, TestContext.Current.CancellationToken);

        Assert.Equal((5, 3), (speed!.BatchSize, speed.Passes));
        Assert.Equal([5, 5, 5, 5, 5], network.Shapes);
        Assert.Equal(5 / speed.PassSeconds, speed.PerSecond);
    }

    [Fact]
    public void Measure_DeviceHasTooLittleMemory_IsNull()
    {
        using var network = new ToyDenoiser(Rows.Shape) { Before = _ => throw new TorchError("CUDA out of memory") };

        Assert.Null(new NetworkSpeed(network).Measure(5, TimeSpan.Zero, TestContext.Current.CancellationToken));
        Assert.Null(new NetworkSpeed(network).Pass(5));
    }

    /// <summary>What TorchSharp throws is an ExternalException.</summary>
    sealed class TorchError(string message) : ExternalException(message);

    BatchFound Probe(BatchRange range, Func<int, double?> milliseconds)
    {
        _passes.Clear();
        return new BatchProbe(
            rows =>
            {
                _passes.Add(rows);
                return milliseconds(rows) is { } took ? TimeSpan.FromMilliseconds(took) : null;
            },
            range).Run();
    }
}

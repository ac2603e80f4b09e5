using Taba.Diffusion.Models.Gaussian;
using Taba.Diffusion.Schedules;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models;

public sealed class GaussianDenoiserTests
{
    static GaussianDefinition Definition(int steps, bool rescale) => new()
    {
        Name = "test",
        Shape = new StateShape(2, 4, 3),
        Mean = [0.25, -0.5],
        Deviation = [0.1, 1],
        DiffusionSteps = steps,
        NoiseSchedule = NoiseSchedule.Cosine,
        RescaleTimesteps = rescale,
    };

    [Theory]
    [InlineData(1000, false)]
    [InlineData(4000, true)]
    [InlineData(4000, false)]
    [InlineData(250, true)]
    public void PredictEps_EveryStep_OptimumOfThatStep(int steps, bool rescale)
    {
        var definition = Definition(steps, rescale);
        using var scope = NewDisposeScope();
        using var denoiser = definition.Load(null, CPU, ScalarType.Float32);
        var alphaBar = 1.0;
        for (var t = 0; t < steps; t++)
        {
            // Nichol and Dhariwal 2021, eq. 17, written again on purpose.
            var (u, v) = ((double)t / steps, (t + 1.0) / steps);
            var ratio = Math.Pow(Math.Cos((v + 0.008) / 1.008 * Math.PI / 2) / Math.Cos((u + 0.008) / 1.008 * Math.PI / 2), 2);
            alphaBar *= Math.Max(ratio, 0.001);
            if (t % 97 != 0 && t != steps - 1)
                continue;

            using var inner = NewDisposeScope();
            var x = tensor([.. Enumerable.Repeat(0.7f, 24)]).view(1, 2, 4, 3);
            var timestep = tensor([rescale ? t * (float)(1000.0 / steps) : t]);
            var eps = denoiser.PredictEps(x, timestep, null);

            for (var c = 0; c < 2; c++)
            {
                var (mean, deviation) = (definition.Mean[c], definition.Deviation[c]);
                var expected = Math.Sqrt(1 - alphaBar) * (0.7f - (Math.Sqrt(alphaBar) * mean))
                    / ((alphaBar * deviation * deviation) + 1 - alphaBar);
                Assert.Equal(expected, eps[0, c, 3, 2].item<float>(), 1e-6 * (1 + Math.Abs(expected)));
            }
        }
    }

    [Fact]
    public void PredictEps_RowsAtDifferentSteps_EachItsOwn()
    {
        using var scope = NewDisposeScope();
        using var denoiser = Definition(1000, rescale: false).Load(null, CPU, ScalarType.Float32);
        var x = ones(2, 2, 4, 3);

        var both = denoiser.PredictEps(x, tensor([3f, 800f]), null);

        foreach (var (row, t) in new[] { (0, 3f), (1, 800f) })
        {
            var alone = denoiser.PredictEps(x.narrow(0, row, 1), tensor([t]), null);
            Assert.True(both.narrow(0, row, 1).equal(alone).all().item<bool>());
        }
    }
}

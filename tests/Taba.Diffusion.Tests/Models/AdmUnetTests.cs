using Taba.Diffusion.Models.Adm;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models;

public sealed class AdmUnetTests
{
    static readonly AdmConfig s_tiny = new()
    {
        ImageSize = 16,
        NumChannels = 32,
        NumResBlocks = 1,
        ChannelMult = [1, 2],
        AttentionResolutions = [8],
        LearnSigma = true,
    };

    static RandomWeights Weights(AdmConfig config) => new(AdmParameters.Expected(config));

    static Tensor Noise(long rows, long size)
    {
        using var generator = new Generator(5);
        return randn([rows, 3, size, size], generator: generator);
    }

    [Fact]
    public void Load_WrongWeights_AllDifferencesInOneMessage()
    {
        var weights = Weights(s_tiny).Without("time_embed.0.bias").With("surplus", 3).With("out.2.bias", 7);

        var error = Assert.Throws<WeightsMismatchException>(() => AdmUnet.Load(s_tiny, weights, CPU, ScalarType.Float32));

        Assert.Equal(["time_embed.0.bias"], error.Missing);
        Assert.Equal(["surplus"], error.Unexpected);
        Assert.Equal(["out.2.bias: expected [6], found [7]"], error.Misshaped);
        foreach (var name in new[] { "time_embed.0.bias", "surplus", "out.2.bias", "random weights" })
            Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ScalarType.BFloat16, 0.1)]
    [InlineData(ScalarType.Float16, 0.02)]
    public void PredictEps_HalfPrecisionTorso_CloseToSinglePrecision(ScalarType torso, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var single = AdmUnet.Load(s_tiny, Weights(s_tiny), CPU, ScalarType.Float32);
        using var half = AdmUnet.Load(s_tiny, Weights(s_tiny), CPU, torso);
        var (x, timesteps) = (Noise(2, 16), tensor([1f, 500f]));

        var (expected, actual) = (single.PredictEps(x, timesteps, null), half.PredictEps(x, timesteps, null));

        Assert.Equal(ScalarType.Float32, actual.dtype);
        var error = (actual - expected).abs().max().item<float>();
        Assert.InRange(error, 1e-6, tolerance * expected.abs().max().item<float>());
    }

    [Fact]
    public void PredictEps_FixedBatch_RowDoesNotDependOnNeighboursOrPlace()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = AdmUnet.Load(s_tiny, Weights(s_tiny), CPU, ScalarType.Float32);
        var x = Noise(16, 16);
        var timesteps = linspace(0, 750, 16);

        var order = tensor([7L, 3, 3, 3, 0, 3, 15, 1, 3, 3, 2, 9, 9, 8, 4, 5]);
        var straight = network.PredictEps(x, timesteps, null);
        var turned = network.PredictEps(x.index_select(0, order), timesteps.index_select(0, order), null);

        // To the last bit: results under --deterministic rest on it.
        Assert.True(turned.equal(straight.index_select(0, order)).all().item<bool>());
    }

    [Fact]
    public void PredictEps_OtherTimestep_OtherResult()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        using var network = AdmUnet.Load(s_tiny, Weights(s_tiny), CPU, ScalarType.Float32);
        var x = Noise(1, 16);

        var difference = network.PredictEps(x, tensor([10f]), null) - network.PredictEps(x, tensor([900f]), null);

        Assert.True(difference.abs().max().item<float>() > 1e-2);
    }

    [Fact]
    public void PredictEps_ClassesGivenOrMissingWrongly_Refuses()
    {
        using var scope = NewDisposeScope();
        var conditional = s_tiny with { ClassCond = true };
        using var without = AdmUnet.Load(s_tiny, Weights(s_tiny), CPU, ScalarType.Float32);
        using var with = AdmUnet.Load(conditional, Weights(conditional), CPU, ScalarType.Float32);

        Assert.Null(without.ClassCount);
        Assert.Equal(1000, with.ClassCount);
        Assert.Throws<ArgumentException>(() => without.PredictEps(Noise(1, 16), tensor([1f]), tensor([3L])));
        Assert.Throws<ArgumentException>(() => with.PredictEps(Noise(1, 16), tensor([1f]), null));
    }

    [Fact]
    public void Forward_TrainingForm_SameNumbersAndGradientsOfEveryParameter()
    {
        using var scope = NewDisposeScope();
        var weights = Weights(s_tiny);
        var parameters = weights.Names.ToDictionary(
            name => name, name => weights.Load(name, ScalarType.Float32, CPU).requires_grad_(true), StringComparer.Ordinal);
        using var training = new AdmUnet(s_tiny, parameters, ScalarType.Float32, forTraining: true);
        using var inference = AdmUnet.Load(s_tiny, weights, CPU, ScalarType.Float32);
        var (x, timesteps) = (Noise(2, 16), tensor([1f, 500f]));

        var result = training.Forward(x, timesteps, null);
        result.pow(Scalars.Two).mean().backward();

        Assert.All(parameters, p => Assert.True(p.Value.grad is { } g && g.abs().sum().item<float>() > 0, p.Key));
        using (no_grad())
        {
            var difference = (result - inference.Forward(x, timesteps, null)).abs().max().item<float>();
            Assert.InRange(difference, 0, 1e-4);
        }
    }
}

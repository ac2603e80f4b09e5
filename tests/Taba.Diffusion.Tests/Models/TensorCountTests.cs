using Taba.Diffusion.Models;
using Taba.Diffusion.Models.Adm;
using Taba.Diffusion.Models.Gaussian;
using Taba.Diffusion.Schedules;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models;

/// <summary>The count is the process's: nothing else may run beside these tests.</summary>
[CollectionDefinition(nameof(TensorCountTests), DisableParallelization = true)]
public sealed class TensorCountCollection;

/// <summary>libtorch's memory is invisible to the garbage collector: a tensor left behind is a leak.</summary>
[Collection(nameof(TensorCountTests))]
public sealed class TensorCountTests
{
    static readonly AdmConfig s_tiny = new()
    {
        ImageSize = 16,
        NumChannels = 32,
        NumResBlocks = 1,
        ChannelMult = [1, 2],
        AttentionResolutions = [8],
        ResblockUpdown = true,
        LearnSigma = true,
    };

    static readonly GaussianDefinition s_gaussian = new()
    {
        Name = "test",
        Shape = new StateShape(3, 16, 16),
        Mean = [0, 0, 0],
        Deviation = [1, 1, 1],
        DiffusionSteps = 1000,
        NoiseSchedule = NoiseSchedule.Linear,
        RescaleTimesteps = false,
    };

    static AdmUnet Adm(ScalarType torso) => AdmUnet.Load(s_tiny, new RandomWeights(AdmParameters.Expected(s_tiny)), CPU, torso);

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void PredictEps_AdmManyForwards_NothingIsLeft(ScalarType torso)
    {
        using var network = Adm(torso);
        RequireNothingLeft(network);
    }

    [Fact]
    public void PredictEps_GaussianManyCalls_NothingIsLeft()
    {
        using var network = s_gaussian.Load(null, CPU, ScalarType.Float32);
        RequireNothingLeft(network);
    }

    [Fact]
    public void Dispose_Networks_NothingIsLeft()
    {
        Adm(ScalarType.Float32).Dispose();
        // Tensors that an earlier test left to the finalizers would otherwise go away between the two counts.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var before = Tensor.TotalCount;

        Adm(ScalarType.Float32).Dispose();
        s_gaussian.Load(null, CPU, ScalarType.Float32).Dispose();

        Assert.Equal(before, Tensor.TotalCount);
    }

    static void RequireNothingLeft(IDenoiser network)
    {
        Step();
        var before = Tensor.TotalCount;

        for (var i = 0; i < 5; i++)
            Step();

        Assert.Equal(before, Tensor.TotalCount);

        void Step()
        {
            using var inference = inference_mode();
            using var scope = NewDisposeScope();
            network.PredictEps(ones(network.Shape.Batch(2)), tensor([1f, 500f]), null);
        }
    }
}

using Taba.Diffusion.Models.Ldm;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>The UNet of latent diffusion against the reference's output and activations.</summary>
public sealed class LdmModelTests
{
    public static TheoryData<string, NetworkForm> Cases => ReferenceSet.InBothForms(ReferenceSet.Models("LDMPipeline", "unet"));

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Forward_ReferenceWeightsAndInputs_ReferenceOutputAndActivations(string name, NetworkForm form)
    {
        var folder = ModelFolder.Open(ReferenceSet.At(name));
        using var weights = folder.OpenWeights("unet");
        using var network = UNet2DModel.Load(
            UNet2DConfig.Parse(folder.Config("unet"), folder.ConfigPath("unet")), weights, CPU, ScalarType.Float32, form);
        using var inputs = WeightsFile.Open(ReferenceSet.At($"{name}/inputs.safetensors"));
        var comparison = new ModelComparison(name);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var x = inputs.Load("x", ScalarType.Float32, CPU);

        comparison.Require("unet_out", network.Forward(
            x, inputs.Load("timesteps", ScalarType.Float32, CPU), (layer, activation) => comparison.Observe($"act.{layer}", activation)));
        comparison.Require(
            "unet_out_scalar_t", network.Forward(x, inputs.Load("timestep_scalar", ScalarType.Float32, CPU).reshape(1).expand(x.size(0))));
        comparison.RequireAllSeen("act.");
    }
}

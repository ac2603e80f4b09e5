using System.Text.Json;
using Taba.Diffusion.Models.Ldm;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>The UNet of latent diffusion against the reference's output and activations.</summary>
public sealed class LdmModelTests
{
    public static TheoryData<string> Cases =>
        [.. Fixtures.Cases("models", "case.json").Where(name => name.StartsWith("models/ldm", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Forward_ReferenceWeightsAndInputs_ReferenceOutputAndActivations(string name)
    {
        var folder = ModelFolder.Open(Fixtures.At(name));
        using var weights = folder.OpenWeights("unet");
        using var network = UNet2DModel.Load(UNet2DConfig.Parse(folder.Config("unet"), folder.ConfigPath("unet")), weights, CPU, ScalarType.Float32);
        var inputs = ReferenceTensors.Load($"{name}/inputs.safetensors");
        var expected = ReferenceTensors.Load($"{name}/outputs.safetensors");
        var (absolute, relative) = Tolerance(name);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var x = inputs.Float32("x");

        using var numbers = WeightsFile.Open(Fixtures.At($"{name}/inputs.safetensors"));
        var seen = 0;
        Close(network.Forward(x, numbers.Load("timesteps", ScalarType.Float32, CPU), Observe), "unet_out");
        if (expected.Has("unet_out_scalar_t"))
            Close(network.Forward(x, numbers.Load("timestep_scalar", ScalarType.Float32, CPU).reshape(1).expand(x.size(0))), "unet_out_scalar_t");
        Assert.Equal(expected.Names.Count(stored => stored.StartsWith("act.", StringComparison.Ordinal)), seen);

        void Observe(string layer, Tensor activation)
        {
            if (!expected.Has($"act.{layer}"))
                return;
            Close(activation, $"act.{layer}");
            seen++;
        }

        void Close(Tensor actual, string what) =>
            TensorAssert.Close(actual.contiguous().data<float>().ToArray(), expected.Values<float>(what), absolute, relative, $"{name} {what}");
    }

    static (double Absolute, double Relative) Tolerance(string name)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Fixtures.At($"{name}/case.json")));
        var tolerance = document.RootElement.GetProperty("tolerance");
        return (tolerance.GetProperty("atol").GetDouble(), tolerance.GetProperty("rtol").GetDouble());
    }
}

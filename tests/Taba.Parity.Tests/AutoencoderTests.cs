using Taba.Diffusion.Models.Autoencoders;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>Both autoencoders against the reference, in both directions.</summary>
public sealed class AutoencoderTests
{
    public static TheoryData<string> Vq => Cases("ldm");

    public static TheoryData<string> Kl => Cases("dit");

    [Theory]
    [MemberData(nameof(Vq))]
    public void VqModel_ReferenceInputs_ReferenceOutputs(string name)
    {
        var folder = ModelFolder.Open(Fixtures.At(name));
        var config = VqModelConfig.Parse(folder.Config("vqvae"), name);
        using var weights = folder.OpenWeights("vqvae");
        using var model = VqModel.Load(config, weights, CPU, ScalarType.Float32);
        using var inputs = WeightsFile.Open(Fixtures.At($"{name}/inputs.safetensors"));
        var comparison = new ActivationComparison(name);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var z = inputs.Load("z", ScalarType.Float32, CPU);

        var indices = model.Indices(z);
        Assert.Equal(comparison.Values<long>("vq_indices").ToArray(), indices.data<long>().ToArray());
        comparison.Require("vq_quantized", model.Lookup(z, indices));
        comparison.Require("vq_decode_force_not_quantize", model.DecodeUnquantized(z));
        comparison.Require("vq_decode", model.Decode(z));
        comparison.Require("vq_encode_latents", model.Encode(inputs.Load("image", ScalarType.Float32, CPU)));
    }

    [Theory]
    [MemberData(nameof(Vq))]
    public void VqModel_OldAttentionNames_SameParameters(string name)
    {
        var folder = Fixtures.At($"{name}/vqvae");
        var (old, today) = (Path.Combine(folder, "diffusion_pytorch_model.bin"), Path.Combine(folder, "diffusion_pytorch_model.safetensors"));
        if (!File.Exists(old) || !File.Exists(today))
            return;
        using var older = WeightsFile.Open(old);
        using var newer = WeightsFile.Open(today);
        var renamed = DiffusersWeights.Renamed(older);
        using var scope = NewDisposeScope();
        Assert.Equal(((IWeightSource)newer).Names.Order(), renamed.Names.Order());
        Assert.All(renamed.Names, parameter =>
            Assert.True(renamed.Load(parameter, ScalarType.Float32, CPU).equal(newer.Load(parameter, ScalarType.Float32, CPU)).all().item<bool>(), parameter));
    }

    [Theory]
    [MemberData(nameof(Kl))]
    public void AutoencoderKL_ReferenceInputs_ReferenceOutputs(string name)
    {
        var folder = ModelFolder.Open(Fixtures.At(name));
        var config = AutoencoderKLConfig.Parse(folder.Config("vae"), name);
        using var weights = folder.OpenWeights("vae");
        using var model = AutoencoderKL.Load(config, weights, CPU, ScalarType.Float32);
        using var inputs = WeightsFile.Open(Fixtures.At($"{name}/inputs.safetensors"));
        var comparison = new ActivationComparison(name);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var x = inputs.Load("x", ScalarType.Float32, CPU);
        var image = inputs.Load("image", ScalarType.Float32, CPU);

        comparison.Require("vae_decode", model.DecodeUnscaled(x));
        comparison.Require("vae_decode", model.Decode(x.mul(config.ScalingFactor)));
        var (mean, logVariance) = model.Posterior(image);
        comparison.Require("vae_encode_mean", mean);
        comparison.Require("vae_encode_logvar", logVariance);
        Assert.True(model.Encode(image).allclose(mean.mul(config.ScalingFactor)));
    }

    static TheoryData<string> Cases(string family) =>
        [.. Fixtures.Cases("models", "case.json").Where(name => name.StartsWith($"models/{family}", StringComparison.Ordinal))];
}

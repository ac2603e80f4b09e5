using Taba.Diffusion.Models.Autoencoders;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>The autoencoders of small latent models against the reference implementation.</summary>
public sealed class AutoencoderTests
{
    public static TheoryData<string> VqCases => Cases("models/ldm");

    public static TheoryData<string> KLCases => Cases("models/dit");

    [Theory]
    [MemberData(nameof(VqCases))]
    public void VqModel_ReferenceInputs_ReferenceEntriesAndPictures(string name)
    {
        var inputs = ReferenceTensors.Load($"{name}/inputs.safetensors");
        var comparison = new ModelComparison(name);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        using var model = Load<VqModel>(name, "vqvae");
        var z = inputs.Float32("z");

        comparison.RequireEqual("vq_indices", model.Indices(z));
        comparison.Require("vq_quantized", model.Quantized(z));
        comparison.Require("vq_decode_force_not_quantize", model.DecodeUnquantized(z));
        comparison.Require("vq_decode", model.Decode(z));
        comparison.Require("vq_encode_latents", model.Encode(inputs.Float32("image")));
    }

    [Theory]
    [MemberData(nameof(VqCases))]
    public void VqModel_WeightsUnderOldAndNewNames_SamePictures(string name)
    {
        var inputs = ReferenceTensors.Load($"{name}/inputs.safetensors");
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var config = AutoencoderDefinition.Read(Fixtures.At($"{name}/vqvae")).Config;
        var z = inputs.Float32("z");

        var pictures = Directory.GetFiles(Fixtures.At($"{name}/vqvae"), "diffusion_pytorch_model.*").Select(path =>
        {
            using var file = WeightsFile.Open(path);
            using var model = config.Load(DiffusersWeights.Renamed(file), CPU, ScalarType.Float32);
            return model.Decode(z);
        }).ToArray();

        Assert.Equal(2, pictures.Length);
        Assert.True(pictures[0].equal(pictures[1]).all().item<bool>());
    }

    [Theory]
    [MemberData(nameof(KLCases))]
    public void AutoencoderKL_ReferenceInputs_ReferencePicturesAndPosterior(string name)
    {
        var inputs = ReferenceTensors.Load($"{name}/inputs.safetensors");
        var comparison = new ModelComparison(name);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        using var model = Load<AutoencoderKL>(name, "vae");
        var (x, image) = (inputs.Float32("x"), inputs.Float32("image"));
        var (mean, logVariance) = model.Posterior(image);

        comparison.Require("vae_decode", model.DecodeUnscaled(x));
        comparison.Require("vae_encode_mean", mean);
        comparison.Require("vae_encode_logvar", logVariance);

        // The state is the latent times 0.18215, which the case's config leaves to the class.
        comparison.Require("vae_decode", model.Decode(x.mul(0.18215)));
        comparison.Require("vae_encode_mean", model.Encode(image).div(0.18215));
    }

    static T Load<T>(string name, string component)
        where T : class, IAutoencoder
    {
        var definition = AutoencoderDefinition.Read(ModelFolder.Open(Fixtures.At(name)), component);
        definition.CheckWeights();
        return Assert.IsType<T>(definition.Load(CPU, ScalarType.Float32));
    }

    static TheoryData<string> Cases(string prefix) =>
        [.. Fixtures.Cases("models", "case.json").Where(name => name.StartsWith(prefix, StringComparison.Ordinal))];
}

using System.Text.Json;
using Taba.Diffusion.Models.Autoencoders;
using Taba.Diffusion.Weights;
using Taba.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>The autoencoders of small latent models against the reference implementation.</summary>
public sealed class AutoencoderTests
{
    public static TheoryData<string> VqCases => ReferenceSet.Models("LDMPipeline", "vqvae");

    /// <summary>Models whose weights are there in several files, under old names and new ones.</summary>
    public static TheoryData<string> VqCasesInSeveralFiles => [.. VqCases.Select(c => c.Data).Where(name => WeightFiles(name).Length > 1)];

    public static TheoryData<string, NetworkForm> VqCasesInBothForms => ReferenceSet.InBothForms(VqCases);

    public static TheoryData<string, NetworkForm> KLCases => ReferenceSet.InBothForms(ReferenceSet.Models("DiTPipeline", "vae"));

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(VqCasesInBothForms))]
    public void VqModel_ReferenceInputs_ReferenceEntriesAndPictures(string name, NetworkForm form)
    {
        var inputs = ReferenceTensors.Load($"{name}/inputs.safetensors");
        var comparison = new ModelComparison(name);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        using var model = Load<VqModel>(name, "vqvae", form);
        var z = inputs.Float32("z");

        comparison.RequireEqual("vq_indices", model.Indices(z));
        comparison.Require("vq_quantized", model.Quantized(z));
        comparison.Require("vq_decode_force_not_quantize", model.DecodeUnquantized(z));
        comparison.Require("vq_decode", model.Decode(z));
        comparison.Require("vq_encode_latents", model.Encode(inputs.Float32("image")));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(VqCasesInSeveralFiles))]
    public void VqModel_WeightsUnderOldAndNewNames_SamePictures(string name)
    {
        var inputs = ReferenceTensors.Load($"{name}/inputs.safetensors");
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var config = AutoencoderDefinition.Read(ReferenceSet.At($"{name}/vqvae")).Config;
        var z = inputs.Float32("z");

        var pictures = WeightFiles(name).Select(path =>
        {
            using var file = WeightsFile.Open(path);
            using var model = config.Load(DiffusersWeights.Renamed(file), CPU, ScalarType.Float32);
            return model.Decode(z);
        }).ToArray();

        Assert.All(pictures[1..], other => Assert.True(pictures[0].equal(other).all().item<bool>()));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(KLCases))]
    public void AutoencoderKL_ReferenceInputs_ReferencePicturesAndPosterior(string name, NetworkForm form)
    {
        var inputs = ReferenceTensors.Load($"{name}/inputs.safetensors");
        var comparison = new ModelComparison(name);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        using var model = Load<AutoencoderKL>(name, "vae", form);
        var (x, image) = (inputs.Float32("x"), inputs.Float32("image"));
        var (mean, logVariance) = model.Posterior(image);

        comparison.Require("vae_decode", model.DecodeUnscaled(x));
        comparison.Require("vae_encode_mean", mean);
        comparison.Require("vae_encode_logvar", logVariance);

        using var factor = ScalingFactor(name).ToScalar();
        comparison.Require("vae_decode", model.Decode(x.mul(factor)));
        comparison.Require("vae_encode_mean", model.Encode(image).div(factor));
    }

    static T Load<T>(string name, string component, NetworkForm form)
        where T : class, IAutoencoder
    {
        var definition = AutoencoderDefinition.Read(ModelFolder.Open(ReferenceSet.At(name)), component);
        definition.CheckWeights();
        return Assert.IsType<T>(definition.Load(CPU, ScalarType.Float32, form));
    }

    static string[] WeightFiles(string name) => Directory.GetFiles(ReferenceSet.At($"{name}/vqvae"), "diffusion_pytorch_model.*");

    /// <summary>The state is the latent times this; a config that does not say leaves it to the class.</summary>
    static double ScalingFactor(string name)
    {
        using var config = JsonDocument.Parse(File.ReadAllBytes(ReferenceSet.At($"{name}/vae/config.json")));
        return config.RootElement.TryGetProperty("scaling_factor", out var factor) ? factor.GetDouble() : 0.18215;
    }
}

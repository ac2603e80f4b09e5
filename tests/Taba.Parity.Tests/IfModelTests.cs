using System.Text.Json;
using Taba.Diffusion.Models.DeepFloydIf;
using Taba.Diffusion.Models.TextEncoders;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Parity.Tests;

/// <summary>
/// Tokenizer, text encoder and UNet of small DeepFloyd IF models against the reference implementation, layer by layer, so that a
/// failure names the first layer that differs.
/// </summary>
public sealed class IfModelTests
{
    public static TheoryData<string> Cases => ReferenceSet.Models("IFPipeline", "text_encoder", "tokenizer", "unet");

    public static TheoryData<string, NetworkForm> CasesInBothForms => ReferenceSet.InBothForms(Cases);

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void EncodeText_ReferencePrompts_ReferenceIdsAndMask(string name)
    {
        var inputs = ReferenceTensors.Load($"{name}/inputs.safetensors");
        using var document = Case(name);
        var prompts = document.RootElement.GetProperty("prompts").EnumerateArray().Select(prompt => prompt.GetString()!).ToArray();
        var tokenizer = T5Tokenizer.Load(ReferenceSet.At($"{name}/tokenizer"));

        // The reference's ids are those of the prompts as they stand, before upstream's lower-casing.
        var encoded = prompts.Select(prompt => tokenizer.EncodeText(prompt)).ToArray();

        Assert.Equal(inputs.Values<long>("input_ids").ToArray(), encoded.SelectMany(row => row.Ids));
        Assert.Equal(inputs.Values<long>("attention_mask").ToArray(), encoded.SelectMany(row => row.Mask));
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Cases))]
    public void Forward_TextEncoder_ReferenceActivationsAndOutputs(string name)
    {
        var inputs = ReferenceTensors.Load($"{name}/inputs.safetensors");
        var comparison = new ModelComparison(name);
        var folder = ModelFolder.Open(ReferenceSet.At(name));
        var config = T5Config.Parse(folder.Config("text_encoder"), folder.ConfigPath("text_encoder"));
        using var weights = folder.OpenWeights("text_encoder");
        using var encoder = T5Encoder.Load(config, weights, CPU, ScalarType.Float32);

        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var ids = Int64(inputs, "input_ids");
        var mask = Int64(inputs, "attention_mask");

        comparison.Require(
            "t5_last_hidden_state", encoder.Forward(ids, mask, (layer, value) => comparison.Observe($"t5.act.{layer}", value)));
        comparison.Require("t5_last_hidden_state_no_mask", encoder.Forward(ids));
        comparison.RequireAllSeen("t5.act.");
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(CasesInBothForms))]
    public void Forward_UNet_ReferenceActivationsAndOutputs(string name, NetworkForm form)
    {
        var inputs = ReferenceTensors.Load($"{name}/inputs.safetensors");
        var comparison = new ModelComparison(name);
        var folder = ModelFolder.Open(ReferenceSet.At(name));
        var config = UNet2DConditionConfig.Parse(folder.Config("unet"), folder.ConfigPath("unet"));
        using var weights = folder.OpenWeights("unet");
        using var unet = UNet2DConditionModel.Load(config, weights, CPU, ScalarType.Float32, form);

        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var x = inputs.Float32("x");
        var words = inputs.Float32("encoder_hidden_states");
        var timesteps = Int64(inputs, "timesteps").to(ScalarType.Float32);
        var scalar = Int64(inputs, "timestep_scalar").to(ScalarType.Float32);

        comparison.Require("unet_out", unet.Forward(x, timesteps, words, (layer, value) => comparison.Observe($"act.{layer}", value)));
        comparison.Require("unet_out_scalar_t", unet.Forward(x, scalar.expand(x.shape[0]), words));
        comparison.RequireAllSeen("act.");
    }

    static JsonDocument Case(string name) => JsonDocument.Parse(File.ReadAllText(ReferenceSet.At($"{name}/case.json")));

    static Tensor Int64(ReferenceTensors tensors, string name) => tensor(tensors.Values<long>(name).ToArray(), tensors.Shape(name));
}

using System.Text.Json;
using Taba.Diffusion.Models.Features;
using Taba.Diffusion.Weights;
using Taba.Testing;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models.Features;

public sealed class ClipTests
{
    static readonly ClipSizes s_small = new(
        new(48, 2, 4, 96, 1e-5, QuickGelu: true), new(32, 2, 4, 64, 1e-5, QuickGelu: true), 32, 8, 60, 12, 24);

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void OfPictures_IsThatOfPlainTorch()
    {
        using var scope = NewDisposeScope();
        var names = ClipFeatures.Parameters(s_small);
        var weights = new RandomWeights(names.Append(new("logit_scale", [])));
        var pictures = NetworkChecks.Noise(2, 3, 32, 32);
        var expected = TorchReference.Run(
            """
            p = "vision_model."
            norm = lambda n, x: F.layer_norm(x, (48,), t[n + ".weight"], t[n + ".bias"], 1e-5)
            x = F.conv2d(t["x"], t[p + "embeddings.patch_embedding.weight"], None, 8).flatten(2).transpose(1, 2)
            x = torch.cat([t[p + "embeddings.class_embedding"].view(1, 1, 48).repeat(2, 1, 1), x], 1)
            x = norm(p + "pre_layrnorm", x + t[p + "embeddings.position_embedding.weight"])
            """ + Blocks("vision_model", 17, 48) +
            """

            out = F.linear(norm(p + "post_layernorm", x[:, 0]), t["visual_projection.weight"])
            """,
            weights,
            names,
            ("x", pictures));
        using var clip = ClipFeatures.Load(s_small, weights, CPU);
        TorchReference.AssertNear(expected, clip.OfPictures(pictures));
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void OfTexts_IsThatOfPlainTorch()
    {
        using var scope = NewDisposeScope();
        var names = ClipFeatures.Parameters(s_small);
        var weights = new RandomWeights(names);
        var tokens = tensor(new long[,] { { 58, 3, 7, 7, 59, 59, 59, 59, 59 }, { 58, 9, 1, 2, 3, 4, 5, 6, 59 } });
        var expected = TorchReference.Run(
            """
            p = "text_model."
            ids = t["ids"].long()
            norm = lambda n, x: F.layer_norm(x, (32,), t[n + ".weight"], t[n + ".bias"], 1e-5)
            x = t[p + "embeddings.token_embedding.weight"][ids] + t[p + "embeddings.position_embedding.weight"][:9]
            """ + Blocks("text_model", 9, 32) +
            """

            x = norm(p + "final_layer_norm", x)
            out = F.linear(torch.stack([x[0, 4], x[1, 8]]), t["text_projection.weight"])
            """,
            weights,
            names,
            ("ids", tokens.to(ScalarType.Float32)));
        using var clip = ClipFeatures.Load(s_small, weights, CPU);
        TorchReference.AssertNear(expected, clip.OfTexts(tokens));
        Assert.Throws<ArgumentException>(() => clip.OfTexts(tensor(new long[,] { { 60 } })));
        Assert.Throws<ArgumentException>(() => clip.OfTexts(zeros([1, 13], ScalarType.Int64)));
    }

    [Fact]
    public void TextStates_OfATinyStableDiffusionsEncoder_AreTransformers()
    {
        // A whole CLIP with the fixture's text half and random rest.
        var folder = Fixtures.At("models/sd15_tiny");
        var config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "text_encoder", "config.json"))).RootElement;
        int Of(string name) => config.GetProperty(name).GetInt32();
        var text = new TransformerSizes(
            Of("hidden_size"),
            Of("num_hidden_layers"),
            Of("num_attention_heads"),
            Of("intermediate_size"),
            config.GetProperty("layer_norm_eps").GetDouble(),
            config.GetProperty("hidden_act").GetString() == "quick_gelu");
        var sizes = s_small with { Text = text, Vocabulary = Of("vocab_size"), Length = Of("max_position_embeddings") };

        using var scope = NewDisposeScope();
        using var file = WeightsFile.Open(Path.Combine(folder, "text_encoder", "model.safetensors"));
        using var clip = ClipFeatures.Load(sizes, new TextHalf(file, new RandomWeights(ClipFeatures.Parameters(sizes))), CPU);
        using var inputs = WeightsFile.Open(Path.Combine(folder, "inputs.safetensors"));
        using var outputs = WeightsFile.Open(Path.Combine(folder, "outputs.safetensors"));
        var expected = outputs.Load("clip_last_hidden_state", ScalarType.Float32, CPU).data<float>().ToArray();
        TorchReference.AssertNear(expected, clip.TextStates(inputs.Load("input_ids", ScalarType.Int64, CPU)));
    }

    [Fact]
    public void Parameters_OfBasePatch32_HaveItsSize() => Assert.Equal(
        151_277_312,
        ClipFeatures.Parameters(ClipFeatures.BasePatch32).Sum(parameter => parameter.Value.Aggregate(1L, (a, b) => a * b)));

    static string Blocks(string prefix, int tokens, int width) =>
        $$"""

        lin = lambda n, x: F.linear(x, t[n + ".weight"], t[n + ".bias"])
        heads = lambda x: x.view(2, {{tokens}}, 4, {{width / 4}}).transpose(1, 2)
        hidden = torch.full(({{tokens}}, {{tokens}}), -1e9).triu(1) if "{{prefix}}" == "text_model" else 0
        for i in range(2):
            b = f"{{prefix}}.encoder.layers.{i}."
            h = norm(b + "layer_norm1", x)
            q, k, v = (heads(lin(b + f"self_attn.{n}_proj", h)) for n in "qkv")
            h = (torch.softmax(q @ k.transpose(2, 3) / {{width / 4}} ** .5 + hidden, -1) @ v).transpose(1, 2).reshape(x.shape)
            x = x + lin(b + "self_attn.out_proj", h)
            h = lin(b + "mlp.fc1", norm(b + "layer_norm2", x))
            x = x + lin(b + "mlp.fc2", h * torch.sigmoid(1.702 * h))
        """;

    sealed class TextHalf(WeightsFile text, RandomWeights rest) : IWeightSource
    {
        public string Description => "a text half";

        public IReadOnlyCollection<string> Names => rest.Names;

        public bool TryGetShape(string name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out long[]? shape) =>
            text.TryGetShape(name, out shape) || rest.TryGetShape(name, out shape);

        public Tensor Load(string name, ScalarType dtype, Device device) => text.TryGetShape(name, out _)
            ? text.Load(name, dtype, device)
            : rest.Load(name, dtype, device);
    }
}

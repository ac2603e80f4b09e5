using Taba.Diffusion.Weights.Hub;

namespace Taba.Diffusion.Tests.Weights.Hub;

public sealed class HubSelectionTests
{
    /// <summary>The shape of DeepFloyd's repository: both formats, both precisions, shards, and parts that nobody needs.</summary>
    static readonly string[] s_deepfloyd =
    [
        "README.md", "model_index.json", "IF-I-XL-v1.0.ckpt",
        "feature_extractor/preprocessor_config.json", "safety_checker/config.json", "safety_checker/model.safetensors",
        "watermarker/config.json",
        "scheduler/scheduler_config.json",
        "text_encoder/config.json", "text_encoder/model-00001-of-00002.safetensors", "text_encoder/model-00002-of-00002.safetensors",
        "text_encoder/model.fp16-00001-of-00002.safetensors", "text_encoder/model.fp16-00002-of-00002.safetensors",
        "text_encoder/model.safetensors.index.json", "text_encoder/model.safetensors.index.fp16.json",
        "text_encoder/pytorch_model-00001-of-00002.bin", "text_encoder/pytorch_model-00002-of-00002.bin",
        "text_encoder/pytorch_model.bin.index.json",
        "text_encoder/pytorch_model.fp16-00001-of-00002.bin", "text_encoder/pytorch_model.fp16-00002-of-00002.bin",
        "text_encoder/pytorch_model.bin.index.fp16.json",
        "tokenizer/spiece.model", "tokenizer/tokenizer_config.json", "tokenizer/special_tokens_map.json",
        "unet/config.json", "unet/diffusion_pytorch_model.bin", "unet/diffusion_pytorch_model.fp16.bin",
        "unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors",
    ];

    static readonly string[] s_components = ["text_encoder", "tokenizer", "unet", "scheduler"];

    static HubListing Listing(params string[] paths) =>
        new(HubRepository.Model("org/name"), "main", new string(
            'c', 40), [.. paths.Select(path => new HubFile(path, 10, new string('a', 40)))]);

    static string[] Chosen(HubListing listing, IReadOnlyList<string>? components = null, string? variant = null) =>
        [.. HubSelection.ForModel(listing, components, variant).Select(file => file.Path).Order(StringComparer.Ordinal)];

    [Fact]
    public void ForModel_Fp16Wanted_TakesItInOneFormat() => Assert.Equal(
        [
            "model_index.json", "scheduler/scheduler_config.json",
            "text_encoder/config.json", "text_encoder/model.fp16-00001-of-00002.safetensors",
            "text_encoder/model.fp16-00002-of-00002.safetensors",
            "text_encoder/model.safetensors.index.fp16.json",
            "tokenizer/special_tokens_map.json", "tokenizer/spiece.model", "tokenizer/tokenizer_config.json",
            "unet/config.json", "unet/diffusion_pytorch_model.fp16.safetensors",
        ],
        Chosen(Listing(s_deepfloyd), s_components, "fp16"));

    [Fact]
    public void ForModel_NoVariant_TakesThePlainWeights() => Assert.Equal(
        [
            "text_encoder/model-00001-of-00002.safetensors", "text_encoder/model-00002-of-00002.safetensors",
            "text_encoder/model.safetensors.index.json",
            "unet/diffusion_pytorch_model.safetensors",
        ],
        Chosen(Listing(s_deepfloyd), s_components).Where(path => path.Contains("model", StringComparison.Ordinal) && !path.Contains(
            "spiece", StringComparison.Ordinal) && path != "model_index.json"));

    [Fact]
    public void ForModel_ComponentsNotGiven_AreAllButTheCheckers() =>
        Assert.Equal(Chosen(Listing(s_deepfloyd), s_components, "fp16"), Chosen(Listing(s_deepfloyd), null, "fp16"));

    [Fact]
    public void ForModel_VariantOfSomeComponentsOnly_TakesPlainWeightsOfTheOthers() => Assert.Equal(
        ["model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.fp16.safetensors", "vae/config.json",
        "vae/diffusion_pytorch_model.bin"],
        Chosen(
            Listing(
                "model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.fp16.safetensors",
                "unet/diffusion_pytorch_model.safetensors",
                "vae/config.json", "vae/diffusion_pytorch_model.bin"),
            ["unet", "vae"],
            "fp16"));

    [Fact]
    public void ForModel_VariantThatNothingHas_NamesThoseThatThereAre()
    {
        var error = Assert.Throws<HubException>(
            () => HubSelection.ForModel(Listing(s_deepfloyd), s_components, "bf16", requireVariant: true));
        Assert.Equal(HubFault.NotFound, error.Fault);
        Assert.Contains("'bf16': it has fp16", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ForModel_ComponentThatIsAbsent_NamesThoseThatThereAre()
    {
        var error = Assert.Throws<HubException>(() => HubSelection.ForModel(Listing(s_deepfloyd), ["vae"]));
        Assert.Contains("no component 'vae'", error.Message, StringComparison.Ordinal);
        Assert.Contains("unet", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ForModel_NoModelFolder_SaysSo() =>
        Assert.Contains("no model folder", Assert.Throws<HubException>(
            () => HubSelection.ForModel(Listing("README.md", "model.safetensors"))).Message, StringComparison.Ordinal);
}

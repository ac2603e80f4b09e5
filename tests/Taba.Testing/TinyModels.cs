using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Taba.Testing;

/// <summary>Writes model.json of models that are small enough for tests.</summary>
public static class TinyModels
{
    const string AdmCase = "models/adm/cifar32_tiny";

    static readonly string[] s_admFields =
    [
        "image_size", "num_channels", "num_res_blocks", "num_heads", "num_heads_upsample", "num_head_channels", "attention_resolutions",
        "channel_mult", "class_cond", "use_scale_shift_norm", "resblock_updown", "use_fp16", "use_new_attention_order", "learn_sigma",
        "diffusion_steps", "noise_schedule", "rescale_timesteps",
    ];

    /// <summary>The weights of <see cref="Adm"/>.</summary>
    public static string AdmWeights => Fixtures.At($"{AdmCase}/model.pt");

    /// <summary>A model without a network: independent Gaussian pixels in three channels, with the linear schedule.</summary>
    /// <returns>The file's path.</returns>
    public static string Gaussian(string path, int imageSize = 16, double deviation = 0.5, int diffusionSteps = 1000) =>
        Write(path, string.Create(CultureInfo.InvariantCulture, $$"""
            { "family": "gaussian", "image_size": {{imageSize}}, "channels": 3, "mean": 0.1, "deviation": {{deviation}},
              "diffusion_steps": {{diffusionSteps}}, "noise_schedule": "linear", "rescale_timesteps": false }
            """));

    /// <summary>A small ADM network of the fixtures.</summary>
    /// <param name="path">The file to write.</param>
    /// <param name="weights">Weights of another file, absolute or beside the model.</param>
    /// <returns>The file's path.</returns>
    public static string Adm(string path, string? weights = null)
    {
        using var fixture = JsonDocument.Parse(File.ReadAllBytes(Fixtures.At($"{AdmCase}/case.json")));
        var arguments = fixture.RootElement.GetProperty("args");
        var model = new JsonObject { ["family"] = "adm", ["weights"] = weights ?? AdmWeights };
        foreach (var field in s_admFields)
            model[field] = JsonNode.Parse(arguments.GetProperty(field).GetRawText());
        return Write(path, model.ToJsonString());
    }

    static string Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }
}

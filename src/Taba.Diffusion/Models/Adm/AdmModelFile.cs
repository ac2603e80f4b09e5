using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Taba.Diffusion.Schedules;

namespace Taba.Diffusion.Models.Adm;

/// <summary>Writes the model.json of a checkpoint whose flags were worked out from its shapes.</summary>
public static class AdmModelFile
{
    /// <summary>Names the fields whose values are guesses. Whoever has checked them takes this field out.</summary>
    public const string UntoldField = "_untold";

    static readonly JsonSerializerOptions s_indented = new()
    {
        WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    static readonly JsonWriterOptions s_readable = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="config">The flags.</param>
    /// <param name="weights">The checkpoint's path, as the field <c>weights</c> takes it.</param>
    /// <param name="told">Fields that no shape tells, and what somebody who knows says of them: JSON, or bare text.</param>
    /// <exception cref="InvalidDataException">A field is another one, or its value none that it can have.</exception>
    public static string Text(AdmConfig config, string weights, IReadOnlyCollection<KeyValuePair<string, string>> told)
    {
        var model = JsonNode.Parse(Text(config, weights))!.AsObject();
        var untold = model[UntoldField]!.AsArray();
        foreach (var (field, value) in told)
        {
            if (!AdmShapes.Untold.Contains(field))
            {
                throw new InvalidDataException(
                    $"{field}={value}: only what no shape tells can be given: {string.Join(", ", AdmShapes.Untold)}.");
            }
            model[field] = Value(value);
            untold.RemoveAll(node => node!.GetValue<string>() == field);
        }
        if (untold.Count == 0)
            model.Remove(UntoldField);
        Check(model);
        return model.ToJsonString(s_indented);
    }

    static JsonValue Value(string text)
    {
        try
        {
            return JsonNode.Parse(text) is JsonValue value ? value : JsonValue.Create(text);
        }
        catch (JsonException)
        {
            return JsonValue.Create(text);
        }
    }

    /// <summary>As whoever reads the file will.</summary>
    static void Check(JsonObject model)
    {
        var flags = new JsonObject(model.Where(field => field.Key is not ("family" or "weights" or UntoldField))
            .Select(field => KeyValuePair.Create(field.Key, field.Value?.DeepClone())));
        using var document = JsonDocument.Parse(flags.ToJsonString());
        AdmConfig.Parse(document.RootElement, "the model.json");
    }

    static string Text(AdmConfig config, string weights)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, s_readable))
        {
            json.WriteStartObject();
            json.WriteString("family", "adm");
            json.WriteString("weights", weights);
            json.WriteNumber("image_size", config.ImageSize);
            json.WriteNumber("num_channels", config.NumChannels);
            json.WriteNumber("num_res_blocks", config.NumResBlocks);
            json.WriteString("channel_mult", string.Join(',', config.ChannelMult));
            json.WriteString("attention_resolutions", string.Join(',', config.AttentionResolutions));
            json.WriteNumber("num_heads", config.NumHeads);
            json.WriteNumber("num_heads_upsample", config.NumHeadsUpsample);
            json.WriteNumber("num_head_channels", config.NumHeadChannels);
            json.WriteBoolean("class_cond", config.ClassCond);
            if (config.ClassCond)
                json.WriteNumber("num_classes", config.NumClasses);
            json.WriteBoolean("learn_sigma", config.LearnSigma);
            json.WriteBoolean("use_scale_shift_norm", config.UseScaleShiftNorm);
            json.WriteBoolean("resblock_updown", config.ResblockUpdown);
            json.WriteBoolean("use_new_attention_order", config.UseNewAttentionOrder);
            json.WriteNumber("diffusion_steps", config.DiffusionSteps);
            json.WriteString("noise_schedule", config.NoiseSchedule == NoiseSchedule.Linear ? "linear" : "cosine");
            json.WriteBoolean("rescale_timesteps", config.RescaleTimesteps);
            json.WriteStartArray(UntoldField);
            foreach (var field in AdmShapes.Untold)
                json.WriteStringValue(field);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.ToArray());
    }
}

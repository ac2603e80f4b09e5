using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Taba.Diffusion.Schedules;

namespace Taba.Diffusion.Models.Adm;

/// <summary>Writes the model.json of a checkpoint whose flags were worked out from its shapes.</summary>
public static class AdmModelFile
{
    /// <summary>Names the fields whose values are guesses. Whoever has checked them takes this field out.</summary>
    public const string UntoldField = "_untold";

    static readonly JsonWriterOptions s_readable = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="config">The flags.</param>
    /// <param name="weights">The checkpoint's path, as the field <c>weights</c> takes it.</param>
    public static string Text(AdmConfig config, string weights)
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

using System.Runtime.InteropServices;
using System.Text.Json;
using Taba.Diffusion.Models.Features;

namespace Taba.Testing;

/// <summary>Checkpoints of networks of features with random weights, laid out as public ones are; CLIP and ViT are tiny.</summary>
public static class FeatureCheckpoints
{
    /// <summary>The tiny CLIP's sizes.</summary>
    public static readonly ClipSizes Clip = new(
        new(48, 2, 4, 96, 1e-5, QuickGelu: true), new(32, 2, 4, 64, 1e-5, QuickGelu: true), 32, 8, 514, 12, 24);

    /// <summary>Pixels of the tiny ViT's pictures along each side.</summary>
    public const int VitSide = 28;

    /// <summary>The tiny ViT's sizes; its patches have 4 pixels along each side.</summary>
    public static readonly TransformerSizes Vit = new(48, 2, 4, 96, 1e-12, QuickGelu: false);

    /// <summary>Inception in one file.</summary>
    public static string WriteInception(string path) => Write(path, InceptionFeatures.Parameters());

    /// <summary>AlexNet in one file.</summary>
    public static string WriteAlexNet(string path) => Write(path, Lpips.AlexNetParameters());

    /// <summary>LPIPS' channels in one file.</summary>
    public static string WriteLpips(string path) => Write(path, Lpips.ChannelParameters());

    /// <summary>A folder of transformers' ViT.</summary>
    public static string WriteVit(string folder)
    {
        Directory.CreateDirectory(folder);
        Config(folder, new
        {
            model_type = "vit",
            hidden_size = Vit.Width,
            num_hidden_layers = Vit.Layers,
            num_attention_heads = Vit.Heads,
            intermediate_size = Vit.Inner,
            image_size = VitSide,
            patch_size = 4,
        });
        Write(Path.Combine(folder, "model.safetensors"), VitFeatures.Parameters(Vit, VitSide, 4));
        return folder;
    }

    /// <summary>A folder of transformers' CLIP, with a tokenizer that has bytes and no pairs.</summary>
    public static string WriteClip(string folder)
    {
        Directory.CreateDirectory(folder);
        Config(folder, new
        {
            model_type = "clip",
            projection_dim = Clip.Width,
            vision_config = new
            {
                hidden_size = Clip.Vision.Width,
                num_hidden_layers = Clip.Vision.Layers,
                num_attention_heads = Clip.Vision.Heads,
                intermediate_size = Clip.Vision.Inner,
                image_size = Clip.Side,
                patch_size = Clip.Patch,
            },
            text_config = new
            {
                hidden_size = Clip.Text.Width,
                num_hidden_layers = Clip.Text.Layers,
                num_attention_heads = Clip.Text.Heads,
                intermediate_size = Clip.Text.Inner,
                vocab_size = Clip.Vocabulary,
                max_position_embeddings = Clip.Length,
            },
        });
        Write(Path.Combine(folder, "model.safetensors"), ClipFeatures.Parameters(Clip));
        var pieces = ClipBytes().Concat(ClipBytes().Select(piece => piece + "</w>")).Append("<|startoftext|>").Append("<|endoftext|>");
        File.WriteAllText(
            Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(pieces.Select((piece, id) => (piece, id))
                .ToDictionary(p => p.piece, p => p.id)));
        File.WriteAllText(Path.Combine(folder, "merges.txt"), "#version: 0.2\n");
        return folder;
    }

    /// <summary>The 256 bytes as CLIP's vocabulary has them: those that print stand for themselves and come first.</summary>
    public static IEnumerable<string> ClipBytes()
    {
        var printed = Enumerable.Range(33, 94).Concat(Enumerable.Range(161, 12)).Concat(Enumerable.Range(174, 82)).ToList();
        return printed.Concat(Enumerable.Range(256, 256 - printed.Count)).Select(c => ((char)c).ToString());
    }

    static void Config(string folder, object config) =>
        File.WriteAllText(Path.Combine(folder, "config.json"), JsonSerializer.Serialize(config));

    /// <summary>A safetensors file; activations stay near 1, variances are positive.</summary>
    static string Write(string path, IReadOnlyList<KeyValuePair<string, long[]>> parameters)
    {
        var header = new Dictionary<string, object>();
        var offset = 0L;
        foreach (var (name, shape) in parameters)
        {
            var bytes = shape.Aggregate(1L, (a, b) => a * b) * sizeof(float);
            header[name] = new { dtype = "F32", shape, data_offsets = new[] { offset, offset + bytes } };
            offset += bytes;
        }
        var text = JsonSerializer.SerializeToUtf8Bytes(header);
        using var file = File.Create(path);
        file.Write(BitConverter.GetBytes((long)text.Length));
        file.Write(text);
        foreach (var (name, shape) in parameters)
            file.Write(MemoryMarshal.AsBytes(Values(name, shape).AsSpan()));
        return path;
    }

    static float[] Values(string name, long[] shape)
    {
        var random = new Random(name.Length + (int)shape[0]);
        var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        var scale = Math.Sqrt(6.0 / Math.Max(1, shape.Skip(1).Aggregate(1L, (a, b) => a * b)));
        var isNear1 = name.EndsWith("bn.weight", StringComparison.Ordinal) || name.EndsWith("running_var", StringComparison.Ordinal)
            || (name.EndsWith("weight", StringComparison.Ordinal) && shape.Length == 1);
        for (var i = 0; i < values.Length; i++)
            values[i] = (float)(isNear1 ? 0.5 + random.NextDouble() : scale * ((2 * random.NextDouble()) - 1));
        return values;
    }
}

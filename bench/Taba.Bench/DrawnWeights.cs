using System.Text.Json;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Bench;

/// <summary>Weights of a network that are drawn: a folder of safetensors in shards, as the Hub has them.</summary>
static class DrawnWeights
{
    const long ShardBytes = 2L << 30;
    const int Seed = 1;

    /// <param name="network">Whose.</param>
    /// <param name="folder">Is there, and empty.</param>
    /// <param name="fileType">The type on disk.</param>
    public static void Write(PublishedNetwork network, string folder, ScalarType fileType)
    {
        using var generator = new Generator(Seed);
        var shapes = network.Parameters.ToDictionary();
        var shards = new List<List<KeyValuePair<string, long[]>>> { new() };
        long held = 0;
        foreach (var parameter in network.Parameters)
        {
            var bytes = parameter.Value.Aggregate(1L, (a, b) => a * b) * ElementTypes.Size(fileType);
            if (held > 0 && held + bytes > ShardBytes)
            {
                shards.Add([]);
                held = 0;
            }
            shards[^1].Add(parameter);
            held += bytes;
        }

        var map = new Dictionary<string, string>();
        for (var i = 0; i < shards.Count; i++)
        {
            var file = $"model-{i + 1:D5}-of-{shards.Count:D5}.safetensors";
            SafetensorsArchive.Write(
                Path.Combine(folder, file), fileType, shards[i], name => BenchModel.Draw(name, shapes[name], generator));
            foreach (var (name, _) in shards[i])
                map.Add(name, file);
        }
        File.WriteAllBytes(Path.Combine(folder, "model.safetensors.index.json"), JsonSerializer.SerializeToUtf8Bytes(
            new { metadata = new { }, weight_map = map }));
    }
}

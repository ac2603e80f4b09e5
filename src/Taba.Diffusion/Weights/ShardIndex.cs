using System.Text.Json;

namespace Taba.Diffusion.Weights;

/// <summary>Reads the index of a sharded checkpoint: its <c>weight_map</c> says which shard holds which tensor.</summary>
static class ShardIndex
{
    /// <summary>The largest public indices stay below one megabyte.</summary>
    const int MaxBytes = 16 << 20;

    const int MaxShards = 1024, MaxNameLength = 255;

    /// <summary>Tensor name to the name of the shard's file, which lies in the index's own folder.</summary>
    /// <exception cref="InvalidDataException">The index is damaged or names a file elsewhere.</exception>
    public static IReadOnlyDictionary<string, string> Read(WeightSet set)
    {
        var path = set.EntryPath;
        var root = BoundedJson.ReadObject(path, MaxBytes);
        if (!root.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{path} has no weight_map, which says which shard holds which tensor.");

        var shards = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var property in map.EnumerateObject())
        {
            if (property.Value.ValueKind != JsonValueKind.String || !IsFileOf(set, property.Value.GetString()!))
            {
                throw new InvalidDataException(
                    $"{path}: tensor '{property.Name}' should lie in {Shown(property.Value)}, which is not the name of a {Ending(set)} "
                    + "file beside the index.");
            }

            shards.Add(property.Name, property.Value.GetString()!);
        }

        if (shards.Count == 0)
            throw new InvalidDataException($"{path} has an empty weight_map.");
        var files = shards.Values.Distinct(StringComparer.Ordinal).Count();
        return files <= MaxShards
            ? shards
            : throw new InvalidDataException($"{path} names {files} shards; at most {MaxShards} are allowed.");
    }

    static string Ending(WeightSet set) => set.IsSafetensors ? ".safetensors" : ".bin";

    static bool IsFileOf(WeightSet set, string name) =>
        name.Length <= MaxNameLength
        && name.EndsWith(Ending(set), StringComparison.Ordinal)
        && !name.StartsWith('.')
        && name.AsSpan().IndexOfAny("/\\:\0") < 0;

    static string Shown(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= 80 ? text : text[..80] + "...";
    }
}

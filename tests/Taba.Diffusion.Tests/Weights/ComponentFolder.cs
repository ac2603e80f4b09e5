using System.Text.Json;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Weights;

/// <summary>A component's folder whose tensors are made by hand: each is float32, of the given length, and full of one value.</summary>
sealed class ComponentFolder : IDisposable
{
    readonly TempFolder _folder = new();

    public string Path => _folder.Path;

    public string At(string name) => _folder.At(name);

    public string Write(string name, ReadOnlySpan<byte> bytes) => _folder.Write(name, bytes);

    /// <summary>A safetensors file of tensors NAME = [length elements of value].</summary>
    public void Safetensors(string file, params (string Name, long[] Shape, float Value)[] tensors)
    {
        var data = new List<byte>();
        var header = new Dictionary<string, object>();
        foreach (var (name, shape, value) in tensors)
        {
            var begin = data.Count;
            data.AddRange(
                CheckpointBytes.Floats([.. Enumerable.Repeat(value, (int)shape.Aggregate(1L, (product, length) => product * length))]));
            header[name] = new { dtype = "F32", shape, data_offsets = new[] { begin, data.Count } };
        }

        Write(file, CheckpointBytes.Safetensors(JsonSerializer.Serialize(header), [.. data]));
    }

    /// <summary>A safetensors file with one tensor of one element.</summary>
    public void Scalar(string file, string tensor, float value) => Safetensors(file, (tensor, [1], value));

    public void Index(string file, params (string Tensor, string Shard)[] map) => Write(
        file,
        JsonSerializer.SerializeToUtf8Bytes(
            new { metadata = new { total_size = 0 }, weight_map = map.ToDictionary(pair => pair.Tensor, pair => pair.Shard) }));

    public void Dispose() => _folder.Dispose();
}

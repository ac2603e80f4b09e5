using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace Taba.Diffusion.Weights;

/// <summary>Writes a model's parameters as one safetensors file, one tensor in memory at a time.</summary>
public static class SafetensorsArchive
{
    const int Alignment = 64;

    /// <summary>Writes the file.</summary>
    /// <param name="path">The file; replaced when it exists.</param>
    /// <param name="dtype">The type that every tensor is stored in.</param>
    /// <param name="parameters">Names and shapes, in the order of the file.</param>
    /// <param name="load">Gives a tensor by name, in any type, on any device; disposed after it is written.</param>
    public static void Write(
        string path, ScalarType dtype, IReadOnlyList<KeyValuePair<string, long[]>> parameters, Func<string, Tensor> load)
    {
        var header = new Dictionary<string, object>();
        var end = 0L;
        foreach (var (name, shape) in parameters)
        {
            var begin = end;
            end = checked(end + shape.Aggregate(1L, (a, b) => checked(a * b)) * ElementTypes.Size(dtype));
            header.Add(name, new { dtype = ElementTypes.SafetensorsName(dtype), shape, data_offsets = new[] { begin, end } });
        }

        // The format lets the header be padded with spaces, so that the data is aligned for whoever maps the file.
        var json = JsonSerializer.SerializeToUtf8Bytes(header);
        var head = new byte[(sizeof(long) + json.Length + Alignment - 1) / Alignment * Alignment];
        BinaryPrimitives.WriteInt64LittleEndian(head, head.Length - sizeof(long));
        json.CopyTo(head, sizeof(long));
        head.AsSpan(sizeof(long) + json.Length).Fill((byte)' ');

        using var file = File.Create(path);
        file.Write(head);
        foreach (var (name, shape) in parameters)
        {
            using var scope = NewDisposeScope();
            var tensor = load(name).to(dtype).cpu().contiguous();
            if (!tensor.shape.AsSpan().SequenceEqual(shape))
                throw new ArgumentException(
                    $"Parameter {name} has shape [{string.Join(", ", tensor.shape)}], announced was [{string.Join(", ", shape)}].",
                    nameof(load));
            file.Write(tensor.bytes);
        }
    }
}

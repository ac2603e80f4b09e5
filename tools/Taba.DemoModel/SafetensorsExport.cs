using System.Buffers.Binary;
using System.Text.Json;
using static TorchSharp.torch;

namespace Taba.DemoModel;

/// <summary>Writes parameters as float16 safetensors.</summary>
static class SafetensorsExport
{
    public static void Write(FlatParameters parameters, string path)
    {
        using var scope = NewDisposeScope();
        var header = new Dictionary<string, object>();
        var end = 0L;
        foreach (var name in parameters.Names)
        {
            parameters.TryGetShape(name, out var shape);
            var begin = end;
            end += 2 * shape!.Aggregate(1L, (a, b) => a * b);
            header.Add(name, new { dtype = "F16", shape, data_offsets = new[] { begin, end } });
        }

        // The specification lets the header be padded with spaces, so that the data begins at a multiple of 8.
        var json = JsonSerializer.SerializeToUtf8Bytes(header);
        var padded = new byte[(json.Length + 7) / 8 * 8];
        padded.AsSpan().Fill((byte)' ');
        json.CopyTo(padded, 0);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, padded.Length);

        using var file = File.Create(path);
        file.Write(length);
        file.Write(padded);
        foreach (var name in parameters.Names)
            file.Write(parameters.Load(name, ScalarType.Float16, CPU).bytes);
    }
}

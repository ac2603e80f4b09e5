using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tensors;

/// <summary>The header of a safetensors file with one tensor.</summary>
sealed class SafetensorsEnvelope : ITensorEnvelope
{
    const int PrefixBytes = 8, Alignment = 64;

    readonly byte[] _head;

    public SafetensorsEnvelope(string name, ScalarType dtype, long[] shape, long byteCount)
    {
        var json = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteStartObject(name);
            writer.WriteString("dtype", ElementTypes.SafetensorsName(dtype));
            WriteNumbers(writer, "shape", shape);
            WriteNumbers(writer, "data_offsets", [0, byteCount]);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        // The header is padded with spaces, as the format allows, so that the tensor is aligned for whoever maps the file.
        _head = new byte[(PrefixBytes + json.WrittenCount + Alignment - 1) / Alignment * Alignment];
        BinaryPrimitives.WriteInt64LittleEndian(_head, _head.Length - PrefixBytes);
        json.WrittenSpan.CopyTo(_head.AsSpan(PrefixBytes));
        _head.AsSpan(PrefixBytes + json.WrittenCount).Fill((byte)' ');
    }

    public ReadOnlySpan<byte> Head => _head;

    public int? CrcPosition => null;

    public ReadOnlySpan<byte> Tail(uint crc) => [];

    static void WriteNumbers(Utf8JsonWriter writer, string property, long[] numbers)
    {
        writer.WriteStartArray(property);
        foreach (var number in numbers)
            writer.WriteNumberValue(number);
        writer.WriteEndArray();
    }
}

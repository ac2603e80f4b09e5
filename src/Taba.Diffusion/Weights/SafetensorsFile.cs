using System.Buffers.Binary;
using System.Text.Json;

namespace Taba.Diffusion.Weights;

/// <summary>
/// Reads the header of a safetensors file: eight bytes of header length, a JSON object of tensors, then their bytes without
/// gaps (huggingface/safetensors, "Format"). Offsets that overlap, leave gaps or do not end with the file are refused.
/// </summary>
static class SafetensorsFile
{
    const int PrefixBytes = 8;

    /// <summary>The limit that the format itself sets.</summary>
    const int MaxHeaderBytes = 100_000_000;

    static readonly JsonDocumentOptions s_strictJson = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    public static IReadOnlyList<StoredTensor> Read(SourceFile file)
    {
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        file.ReadExactly(0, prefix, "the header length");
        var headerBytes = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerBytes > MaxHeaderBytes)
            throw file.Fault($"its safetensors header would take {headerBytes} bytes; at most {MaxHeaderBytes} are allowed.");

        var header = file.ReadBytes(PrefixBytes, (long)headerBytes, MaxHeaderBytes, "the safetensors header");
        var tensors = ParseHeader(file, header, dataOffset: PrefixBytes + header.Length);
        RequireCoverage(file, tensors, PrefixBytes + header.Length);
        return tensors;
    }

    static List<StoredTensor> ParseHeader(SourceFile file, byte[] header, long dataOffset)
    {
        try
        {
            using var document = JsonDocument.Parse(header, s_strictJson);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw file.Fault("its safetensors header is not a JSON object.");

            return document.RootElement.EnumerateObject()
                .Where(property => property.Name != "__metadata__")
                .Select(property => ParseTensor(file, property.Name, property.Value, dataOffset))
                .ToList();
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: a string that is not UTF-8.
            throw file.Fault($"its safetensors header is not valid JSON ({error.Message.TrimEnd('.')}).");
        }
    }

    static StoredTensor ParseTensor(SourceFile file, string name, JsonElement value, long dataOffset)
    {
        if (value.ValueKind != JsonValueKind.Object
            || !value.TryGetProperty("dtype", out var dtype) || dtype.ValueKind != JsonValueKind.String
            || !value.TryGetProperty("shape", out var shapeValue) || !TryReadLongs(shapeValue, out var shape)
            || !value.TryGetProperty("data_offsets", out var offsetsValue) || !TryReadLongs(offsetsValue, out var offsets)
            || offsets.Length != 2)
        {
            throw file.Fault($"the header entry '{name}' lacks a valid dtype, shape or data_offsets.");
        }

        if (!ElementTypes.TryFromSafetensors(dtype.GetString(), out var type))
            throw file.Fault($"tensor '{name}' has the element type {dtype.GetString()}, which is not read.");

        var (begin, end) = (offsets[0], offsets[1]);
        if (begin < 0 || end < begin || end > file.Length - dataOffset)
            throw file.Fault(
                $"tensor '{name}' lies at {begin}..{end} of {file.Length - dataOffset} data bytes; the file was cut short or is damaged.");

        var elements = StoredTensor.CountElements(file, name, shape);
        if ((Int128)elements * ElementTypes.Size(type.Value) != end - begin)
            throw file.Fault(
                $"tensor '{name}' of shape [{string.Join(",", shape)}] and type {type} does not fill its {end - begin} bytes.");

        return StoredTensor.Create(file, name, type.Value, shape, strides: null, firstElement: 0, dataOffset + begin, elements);
    }

    static bool TryReadLongs(JsonElement value, out long[] numbers)
    {
        numbers = [];
        if (value.ValueKind != JsonValueKind.Array)
            return false;

        numbers = new long[value.GetArrayLength()];
        var i = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt64(out numbers[i++]))
                return false;
        }

        return true;
    }

    static void RequireCoverage(SourceFile file, List<StoredTensor> tensors, long dataOffset)
    {
        var expected = dataOffset;
        foreach (var tensor in tensors.OrderBy(tensor => tensor.Offset).ThenBy(tensor => tensor.ByteCount))
        {
            if (tensor.Offset != expected)
            {
                var kind = tensor.Offset < expected ? "overlaps the tensor before it" : "leaves a gap before it";
                throw file.Fault($"tensor '{tensor.Name}' at data byte {tensor.Offset - dataOffset} {kind}.");
            }

            expected += tensor.ByteCount;
        }

        if (expected != file.Length)
            throw file.Fault($"{file.Length - expected} bytes follow the last tensor.");
    }
}

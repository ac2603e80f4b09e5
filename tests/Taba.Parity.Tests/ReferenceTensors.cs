using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Taba.Testing;
using TorchSharp;

namespace Taba.Parity.Tests;

/// <summary>
/// The tensors of a fixture's safetensors file. Read here in a few lines, apart from the product's own reader, so that a
/// fault of that reader cannot hide in both sides of a comparison.
/// </summary>
sealed class ReferenceTensors
{
    readonly byte[] _file;
    readonly int _dataStart;
    readonly JsonElement _header;

    ReferenceTensors(byte[] file)
    {
        _file = file;
        var headerLength = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(file));
        _dataStart = 8 + headerLength;
        _header = JsonDocument.Parse(file.AsMemory(8, headerLength)).RootElement;
    }

    internal IEnumerable<string> Names => _header.EnumerateObject().Select(entry => entry.Name).Where(name => name != "__metadata__");

    internal static ReferenceTensors Load(string relative) => new(File.ReadAllBytes(ReferenceSet.At(relative)));

    /// <summary>The tensors of a file, or null when the set has no such file.</summary>
    internal static ReferenceTensors? Find(string relative) => File.Exists(ReferenceSet.At(relative)) ? Load(relative) : null;

    internal bool Has(string name) => _header.TryGetProperty(name, out _);

    internal long[] Shape(string name) =>
        [.. _header.GetProperty(name).GetProperty("shape").EnumerateArray().Select(size => size.GetInt64())];

    internal ReadOnlySpan<byte> Bytes(string name)
    {
        var offsets = _header.GetProperty(name).GetProperty("data_offsets");
        var (from, to) = (offsets[0].GetInt32(), offsets[1].GetInt32());
        return _file.AsSpan(_dataStart + from, to - from);
    }

    internal torch.ScalarType Dtype(string name) => _header.GetProperty(name).GetProperty("dtype").GetString() switch
    {
        "F32" => torch.ScalarType.Float32,
        "F16" => torch.ScalarType.Float16,
        "I64" => torch.ScalarType.Int64,
        var other => throw new InvalidDataException($"{name} is of dtype {other}, which no fixture of a built family has."),
    };

    internal ReadOnlySpan<T> Values<T>(string name)
        where T : struct => MemoryMarshal.Cast<byte, T>(Bytes(name));

    /// <summary>A float32 tensor; the caller's dispose scope takes it.</summary>
    internal torch.Tensor Float32(string name) => torch.tensor(Values<float>(name).ToArray(), Shape(name));
}

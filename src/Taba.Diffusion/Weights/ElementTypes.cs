using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Taba.Diffusion.Weights;

/// <summary>The element types that files hold, and what each format calls them.</summary>
public static class ElementTypes
{
    static readonly Row[] s_table =
    [
        new(ScalarType.Float64, 8, "F64", "DoubleStorage", "<f8"),
        new(ScalarType.Float32, 4, "F32", "FloatStorage", "<f4"),
        new(ScalarType.Float16, 2, "F16", "HalfStorage", "<f2"),
        new(ScalarType.BFloat16, 2, "BF16", "BFloat16Storage", null),
        new(ScalarType.Int64, 8, "I64", "LongStorage", "<i8"),
        new(ScalarType.Int32, 4, "I32", "IntStorage", "<i4"),
        new(ScalarType.Int16, 2, "I16", "ShortStorage", "<i2"),
        new(ScalarType.Int8, 1, "I8", "CharStorage", "|i1"),
        new(ScalarType.Byte, 1, "U8", "ByteStorage", "|u1"),
        new(ScalarType.Bool, 1, "BOOL", "BoolStorage", "|b1"),
    ];

    /// <summary>Bytes of one element.</summary>
    /// <exception cref="NotSupportedException">No file that is read or written here holds this type.</exception>
    public static int Size(ScalarType type) => Find(type).Size;

    /// <summary>The name that safetensors headers use, for example F32.</summary>
    public static string SafetensorsName(ScalarType type) => Find(type).Safetensors;

    /// <summary>The name of the class in the module torch, for example FloatStorage.</summary>
    public static string TorchStorage(ScalarType type) => Find(type).Torch;

    /// <summary>The little-endian descr of NumPy, for example &lt;f4; null for bfloat16, which NumPy lacks.</summary>
    public static string? NumpyDescr(ScalarType type) => Find(type).Numpy;

    /// <summary>The type that a safetensors header names.</summary>
    public static bool TryFromSafetensors(string? name, [NotNullWhen(true)] out ScalarType? type) =>
        TryFind(row => row.Safetensors == name, out type);

    /// <summary>The type of a storage class of the module torch.</summary>
    public static bool TryFromTorchStorage(string? name, [NotNullWhen(true)] out ScalarType? type) =>
        TryFind(row => row.Torch == name, out type);

    /// <summary>The type of a NumPy descr.</summary>
    public static bool TryFromNumpy(string? descr, [NotNullWhen(true)] out ScalarType? type) =>
        TryFind(row => row.Numpy is not null && row.Numpy == descr, out type);

    static Row Find(ScalarType type) => Array.Find(s_table, row => row.Type == type)
        ?? throw new NotSupportedException($"Tensors of type {type} are neither read nor written; convert to one of {Known}.");

    static string Known => string.Join(", ", s_table.Select(row => row.Type));

    static bool TryFind(Predicate<Row> wanted, [NotNullWhen(true)] out ScalarType? type)
    {
        type = Array.Find(s_table, wanted)?.Type;
        return type is not null;
    }

    sealed record Row(ScalarType Type, int Size, string Safetensors, string Torch, string? Numpy);
}

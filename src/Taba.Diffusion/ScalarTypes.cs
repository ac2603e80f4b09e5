using static TorchSharp.torch;

namespace Taba.Diffusion;

/// <summary>From the shared word for a precision to libtorch's, and back.</summary>
public static class ScalarTypes
{
    /// <summary>libtorch's type.</summary>
    public static ScalarType ToScalarType(this Dtype dtype) => dtype switch
    {
        Dtype.Float32 => ScalarType.Float32,
        Dtype.Float16 => ScalarType.Float16,
        Dtype.BFloat16 => ScalarType.BFloat16,
        Dtype.Float64 => ScalarType.Float64,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "There is no such dtype."),
    };

    /// <summary>The precision that a type of libtorch is; null for integers and the like.</summary>
    public static Dtype? ToDtype(this ScalarType type) => type switch
    {
        ScalarType.Float32 => Dtype.Float32,
        ScalarType.Float16 => Dtype.Float16,
        ScalarType.BFloat16 => Dtype.BFloat16,
        ScalarType.Float64 => Dtype.Float64,
        _ => null,
    };

    /// <summary>The name that Python uses, such as float32 or int64.</summary>
    public static string Name(this ScalarType type) => type.ToDtype()?.Name() ?? type.ToString().ToLowerInvariant();
}

using static TorchSharp.torch;

namespace Taba.Diffusion.Randomness;

/// <summary>The element types noise can be drawn in.</summary>
static class NoiseDtype
{
    /// <summary>Bytes of an element.</summary>
    /// <exception cref="NotSupportedException">Noise cannot be drawn in this type.</exception>
    internal static int Size(ScalarType dtype) => dtype switch
    {
        ScalarType.Float16 or ScalarType.BFloat16 => 2,
        ScalarType.Float32 => 4,
        ScalarType.Float64 => 8,
        _ => throw new NotSupportedException($"Noise cannot be drawn in {dtype}; use float32, float16, bfloat16 or float64."),
    };

    /// <summary>The name Python uses.</summary>
    internal static string Name(ScalarType dtype) => dtype switch
    {
        ScalarType.Float16 => "float16",
        ScalarType.BFloat16 => "bfloat16",
        ScalarType.Float32 => "float32",
        ScalarType.Float64 => "float64",
        _ => throw new NotSupportedException($"Noise cannot be drawn in {dtype}; use float32, float16, bfloat16 or float64."),
    };
}

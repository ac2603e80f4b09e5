using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

/// <summary>
/// Widens half precision to float32 for layers that compute so in any network. float64 stays, for checks against exact arithmetic.
/// </summary>
static class Widening
{
    /// <summary>float16 and bfloat16 as float32; wider types as they are.</summary>
    public static Tensor AtLeastSingle(this Tensor tensor) => tensor.to(AtLeastSingle(tensor.dtype));

    /// <summary>The type that <see cref="AtLeastSingle(Tensor)"/> gives.</summary>
    public static ScalarType AtLeastSingle(ScalarType dtype) => dtype == ScalarType.Float64 ? dtype : ScalarType.Float32;
}

using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Taba.Diffusion.Models.Layers;

/// <summary>
/// Normalisation over groups of channels (Wu and He 2018). Mean and variance are float32 whatever the input's type. Parameters of
/// another type than the input's make the whole of it run in theirs (guided-diffusion keeps them float32 in a float16 torso).
/// </summary>
/// <param name="weight">[C].</param>
/// <param name="bias">[C].</param>
/// <param name="groups">A divisor of C.</param>
/// <param name="eps">Added to the variance.</param>
sealed class GroupNorm(Tensor weight, Tensor bias, int groups = 32, double eps = 1e-5)
{
    /// <param name="x">[B,C,...].</param>
    /// <returns>The shape and type of <paramref name="x"/>.</returns>
    public Tensor Forward(Tensor x)
    {
        if (x.dtype == weight.dtype)
            return group_norm(x, groups, weight, bias, eps);
        using var wide = x.to(weight.dtype);
        using var normalized = group_norm(wide, groups, weight, bias, eps);
        return normalized.to(x.dtype);
    }
}

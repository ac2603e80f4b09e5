using static TorchSharp.torch;

namespace Taba.Diffusion.Models.TextEncoders;

/// <summary>
/// T5's relative position (Raffel et al. 2020, section 2.1): half of the buckets for each direction; of those, half for single
/// distances and half for logarithmic ranges up to a distance beyond which there is one.
/// </summary>
static class T5RelativePosition
{
    /// <summary>The bucket of each pair of a query (row) and a key (column), int64 [length,length], on the CPU.</summary>
    public static Tensor Buckets(int length, int buckets, int maxDistance)
    {
        using var scope = NewDisposeScope();
        var positions = arange(0, length, dtype: ScalarType.Int64);
        var relative = positions.unsqueeze(0).sub(positions.unsqueeze(1));
        var half = buckets / 2;
        var exact = half / 2;
        var distance = relative.abs();

        // By libtorch in float32, not in C#: where a logarithm falls on a bucket's border, rounding decides.
        var range = distance.to(ScalarType.Float32).div(exact).log().div(Math.Log((double)maxDistance / exact)).mul(half - exact);
        var far = range.clamp_min(0).to(ScalarType.Int64).add(exact).clamp_max(half - 1);
        var bucket = where(distance.lt(exact), distance, far);
        return relative.gt(0).to(ScalarType.Int64).mul(half).add(bucket).MoveToOuterDisposeScope();
    }
}

using Taba.Diffusion.Native;
using TorchSharp;
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
        var half = buckets / 2;
        var exact = half / 2;
        using var count = length.ToScalar();
        using var direction = half.ToScalar();
        using var singles = exact.ToScalar();
        using var span = Math.Log((double)maxDistance / exact).ToScalar();
        using var ranges = (half - exact).ToScalar();
        using var last = (half - 1).ToScalar();

        var positions = arange(Scalars.Zero, count, Scalars.One, dtype: ScalarType.Int64);
        var relative = positions.unsqueeze(0).sub(positions.unsqueeze(1));
        var distance = relative.abs();

        // By libtorch in float32, not in C#: where a logarithm falls on a bucket's border, rounding decides.
        var range = distance.to(ScalarType.Float32).div(singles).log().div(span).mul(ranges);
        var far = range.clamp_min(Scalars.Zero).to(ScalarType.Int64).add(singles, Scalars.One).clamp_max(last);
        var bucket = where(distance.lt(singles), distance, far);
        return relative.gt(Scalars.Zero).to(ScalarType.Int64).mul(direction).add(bucket, Scalars.One).MoveToOuterDisposeScope();
    }
}

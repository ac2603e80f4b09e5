using System.Numerics.Tensors;

namespace Taba.Diffusion.Metrics.Sums;

/// <summary>
/// Sums of products of differences of three rows of equal length, in float64, in blocks that stay in the first cache: all that distances
/// and angles between the rows need.
/// </summary>
/// <param name="UU">|b - a|²</param>
/// <param name="VV">|c - a|²</param>
/// <param name="WW">|c - b|²</param>
/// <param name="UV">(b - a)·(c - a), the corner at a.</param>
/// <param name="UW">(a - b)·(c - b), the corner at b.</param>
/// <param name="VW">(a - c)·(b - c), the corner at c.</param>
readonly record struct Products(double UU, double VV, double WW, double UV, double UW, double VW)
{
    const int Block = 1024;

    internal static Products Of(ReadOnlySpan<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> c)
    {
        Span<double> origin = stackalloc double[Block];
        Span<double> u = stackalloc double[Block];
        Span<double> v = stackalloc double[Block];
        Span<double> w = stackalloc double[Block];
        var (uu, vv, ww, uv, uw, vw) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for (var at = 0; at < a.Length; at += Block)
        {
            var length = Math.Min(Block, a.Length - at);
            origin = origin[..length];
            u = u[..length];
            v = v[..length];
            w = w[..length];
            TensorPrimitives.ConvertTruncating(a.Slice(at, length), origin);
            TensorPrimitives.ConvertTruncating(b.Slice(at, length), u);
            TensorPrimitives.ConvertTruncating(c.Slice(at, length), v);
            TensorPrimitives.Subtract(v, u, w);
            TensorPrimitives.Subtract(u, origin, u);
            TensorPrimitives.Subtract(v, origin, v);
            uu += TensorPrimitives.SumOfSquares<double>(u);
            vv += TensorPrimitives.SumOfSquares<double>(v);
            ww += TensorPrimitives.SumOfSquares<double>(w);
            uv += TensorPrimitives.Dot<double>(u, v);
            uw -= TensorPrimitives.Dot<double>(u, w);
            vw += TensorPrimitives.Dot<double>(v, w);
        }

        return new(uu, vv, ww, uv, uw, vw);
    }

    /// <summary>Sum of squares and sum of absolute values of a - b.</summary>
    internal static (double Squares, double Absolute) OfDifference(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        Span<double> x = stackalloc double[Block];
        Span<double> y = stackalloc double[Block];
        var (squares, absolute) = (0.0, 0.0);
        for (var at = 0; at < a.Length; at += Block)
        {
            var length = Math.Min(Block, a.Length - at);
            x = x[..length];
            y = y[..length];
            TensorPrimitives.ConvertTruncating(a.Slice(at, length), x);
            TensorPrimitives.ConvertTruncating(b.Slice(at, length), y);
            TensorPrimitives.Subtract(x, y, x);
            squares += TensorPrimitives.SumOfSquares<double>(x);
            absolute += TensorPrimitives.SumOfMagnitudes<double>(x);
        }

        return (squares, absolute);
    }
}

using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Metrics;

/// <summary>Running sums and products of the patches of one region, in float64, of values that were shifted by the caller.</summary>
sealed class RegionCovariance : IDisposable
{
    readonly PatchRegion _region;
    readonly int _channels;
    readonly long _variables;

    // [P,D] and [P,D,D].
    readonly Tensor _sums;
    readonly Tensor _products;

    internal RegionCovariance(PatchRegion region, int channels)
    {
        _region = region;
        _channels = channels;
        _variables = region.Variables(channels);
        _sums = zeros([region.Patches, _variables], ScalarType.Float64, CPU).DetachFromDisposeScope();
        _products = zeros([region.Patches, _variables, _variables], ScalarType.Float64, CPU).DetachFromDisposeScope();
    }

    /// <summary>Takes in rows [n,C,H,W], float64. To be called inside a dispose scope.</summary>
    internal void Add(Tensor rows, long count)
    {
        var patches = rows
            .narrow(2, _region.Top, _region.Rows * _region.PatchHeight)
            .narrow(3, _region.Left, _region.Columns * _region.PatchWidth)
            .reshape(count, _channels, _region.Rows, _region.PatchHeight, _region.Columns, _region.PatchWidth)
            .permute(2, 4, 0, 1, 3, 5)
            .reshape(_region.Patches, count, _variables);
        _sums.add_(patches.sum(1), Scalars.One);

        // One product a patch, in place: a batched one would need all covariances a second time.
        for (var i = 0; i < _region.Patches; i++)
        {
            using var values = patches.select(0, i);
            using var transposed = values.t();
            using var target = _products.select(0, i);
            target.addmm_(transposed, values, 1, 1);
        }
    }

    /// <summary>Appends the k largest |correlation| of each patch's pairs of variables (fewer where there are fewer pairs).</summary>
    internal void AppendStrongest(long count, int topK, List<double> strongest)
    {
        var k = (int)Math.Min(topK, _variables * (_variables - 1) / 2);
        if (k == 0)
            return;

        using var rows = count.ToScalar();
        for (var i = 0; i < _region.Patches; i++)
        {
            using var scope = NewDisposeScope();
            var sum = _sums.select(0, i);
            var covariance = _products.select(0, i) - outer(sum, sum).div(rows);
            var deviation = covariance.diagonal().sqrt();

            // A variable that never varied has 0/0 here, and NaN counts as the largest: the metric says so instead of hiding it.
            var correlation = covariance.div_(deviation.unsqueeze(1)).div_(deviation.unsqueeze(0)).clamp_(
                Scalars.MinusOne, Scalars.One).abs_();

            // Zeros outside the upper triangle cannot displace anything: every pair's value is 0 or more.
            var (values, _) = correlation.triu(1).flatten().topk(k);
            strongest.AddRange(values.data<double>());
        }
    }

    public void Dispose()
    {
        _sums.Dispose();
        _products.Dispose();
    }
}

using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Metrics;

/// <summary>Running sums and products of the patches of one region, in float64, of values that were shifted by the caller.</summary>
sealed class RegionCovariance : IDisposable
{
    readonly PatchRegion region;
    readonly int channels;
    readonly long variables;

    // [P,D] and [P,D,D].
    readonly Tensor sums;
    readonly Tensor products;

    internal RegionCovariance(PatchRegion region, int channels)
    {
        this.region = region;
        this.channels = channels;
        variables = region.Variables(channels);
        sums = zeros([region.Patches, variables], ScalarType.Float64, CPU).DetachFromDisposeScope();
        products = zeros([region.Patches, variables, variables], ScalarType.Float64, CPU).DetachFromDisposeScope();
    }

    /// <summary>Takes in rows [n,C,H,W], float64. To be called inside a dispose scope.</summary>
    internal void Add(Tensor rows, long count)
    {
        var patches = rows
            .narrow(2, region.Top, region.Rows * region.PatchHeight)
            .narrow(3, region.Left, region.Columns * region.PatchWidth)
            .reshape(count, channels, region.Rows, region.PatchHeight, region.Columns, region.PatchWidth)
            .permute(2, 4, 0, 1, 3, 5)
            .reshape(region.Patches, count, variables);
        sums.add_(patches.sum(1), Scalars.One);

        // One product a patch, in place: a batched one would need all covariances a second time.
        for (var i = 0; i < region.Patches; i++)
        {
            using var values = patches.select(0, i);
            using var transposed = values.t();
            using var target = products.select(0, i);
            target.addmm_(transposed, values, 1, 1);
        }
    }

    /// <summary>Appends the k largest |correlation| of each patch's pairs of variables (fewer where there are fewer pairs).</summary>
    internal void AppendStrongest(long count, int topK, List<double> strongest)
    {
        var k = (int)Math.Min(topK, variables * (variables - 1) / 2);
        if (k == 0)
            return;

        using var rows = count.ToScalar();
        for (var i = 0; i < region.Patches; i++)
        {
            using var scope = NewDisposeScope();
            var sum = sums.select(0, i);
            var covariance = products.select(0, i) - outer(sum, sum).div(rows);
            var deviation = covariance.diagonal().sqrt();

            // A variable that never varied has 0/0 here, and NaN counts as the largest: the metric says so instead of hiding it.
            var correlation = covariance.div_(deviation.unsqueeze(1)).div_(deviation.unsqueeze(0)).clamp_(Scalars.MinusOne, Scalars.One).abs_();

            // Zeros outside the upper triangle cannot displace anything: every pair's value is 0 or more.
            var (values, _) = correlation.triu(1).flatten().topk(k);
            strongest.AddRange(values.data<double>());
        }
    }

    public void Dispose()
    {
        sums.Dispose();
        products.Dispose();
    }
}

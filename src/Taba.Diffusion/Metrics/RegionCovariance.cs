using System.Runtime.InteropServices;
using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Metrics;

/// <summary>Running sums and products of the patches of one region, in float64, of values that were shifted by the caller.</summary>
sealed class RegionCovariance : IDisposable
{
    // Above the size from which glibc gives a tensor pages of its own: smaller ones, taken and freed in turns, leave a heap full of holes.
    const long BlockBytes = 40L << 20;

    readonly PatchRegion _region;
    readonly int _channels;
    readonly long _variables;

    // Rows of a patch's matrix that are handled at a time: all of a patch, few of a whole image.
    readonly long _variablesAtOnce;

    // [P,D] and [P,D,D].
    readonly Tensor _sums;
    readonly Tensor _products;

    internal RegionCovariance(PatchRegion region, int channels)
    {
        _region = region;
        _channels = channels;
        _variables = region.Variables(channels);
        _variablesAtOnce = Math.Clamp(BlockBytes / (_variables * sizeof(double)), 1, _variables);
        _sums = zeros([region.Patches, _variables], ScalarType.Float64, CPU).DetachFromDisposeScope();
        _products = zeros([region.Patches, _variables, _variables], ScalarType.Float64, CPU).DetachFromDisposeScope();
    }

    /// <summary>Takes in rows [n,C,H,W], float64. To be called inside a dispose scope.</summary>
    internal void Add(Tensor rows, long count)
    {
        var patches = Patches(rows, count);
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
            var products = _products.select(0, i);
            var deviation = (products.diagonal() - sum.mul(sum).div(rows)).sqrt();
            var found = new List<Tensor>();
            for (var first = 0L; first < _variables; first += _variablesAtOnce)
                found.Add(Strongest(sum, products, deviation, first, k, rows));
            var (values, _) = cat(found).topk(k);
            strongest.AddRange(values.data<double>());
        }
    }

    /// <summary>The k largest of some rows of one patch's matrix, so that a large one is not there twice.</summary>
    Tensor Strongest(Tensor sum, Tensor products, Tensor deviation, long first, int k, Scalar rows)
    {
        using var scope = NewDisposeScope();
        var count = Math.Min(_variablesAtOnce, _variables - first);
        var covariance = products.narrow(0, first, count) - outer(sum.narrow(0, first, count), sum).div_(rows);

        // A variable that never varied has 0/0 here, and NaN counts as the largest: the metric says so instead of hiding it.
        var correlation = covariance.div_(deviation.narrow(0, first, count).unsqueeze(1)).div_(deviation.unsqueeze(0)).clamp_(
            Scalars.MinusOne, Scalars.One).abs_();

        // Zeros outside the upper triangle cannot displace anything: every pair's value is 0 or more.
        var values = correlation.triu(1 + first).flatten();
        var (largest, _) = values.topk((int)Math.Min(k, values.shape[0]));
        return largest.MoveToOuterDisposeScope();
    }

    /// <summary>Takes in what the same region has of other rows, whose values were shifted by a tensor of its own.</summary>
    /// <param name="later">The other.</param>
    /// <param name="laterCount">Its rows.</param>
    /// <param name="difference">Its shift less ours, [1,C,H,W].</param>
    internal void Merge(RegionCovariance later, long laterCount, Tensor difference)
    {
        using var scope = NewDisposeScope();
        using var rows = laterCount.ToScalar();
        var patches = Patches(difference, 1);
        var moved = patches.select(1, 0);

        // With x - a = (x - b) + d: the sums grow by n·d, the products by d·sᵀ + s·dᵀ + n·d·dᵀ.
        for (var i = 0; i < _region.Patches; i++)
        {
            using var patch = NewDisposeScope();
            var (d, s) = (moved.select(0, i), later._sums.select(0, i));
            var half = s.add(d.mul(rows), Scalars.One);
            var target = _products.select(0, i);
            target.add_(later._products.select(0, i), Scalars.One);
            for (var first = 0L; first < _variables; first += _variablesAtOnce)
            {
                using var block = NewDisposeScope();
                var count = Math.Min(_variablesAtOnce, _variables - first);
                target.narrow(0, first, count).add_(outer(d.narrow(0, first, count), half), Scalars.One)
                    .add_(outer(s.narrow(0, first, count), d), Scalars.One);
            }

            _sums.select(0, i).add_(half, Scalars.One);
        }
    }

    /// <summary>The sums, then the upper triangle of each patch's products: the rest says the same.</summary>
    internal void Write(BinaryWriter writer)
    {
        writer.Write(_sums.bytes);
        var length = (int)_variables;
        for (var i = 0; i < _region.Patches; i++)
        {
            using var scope = NewDisposeScope();
            var products = _products.select(0, i);
            for (var row = 0; row < length; row++)
            {
                var values = products.select(0, row).narrow(0, row, length - row);
                writer.Write(values.bytes);
            }
        }
    }

    /// <summary>Reads what <see cref="Write"/> wrote. What lies below the diagonal is never looked at.</summary>
    /// <exception cref="EndOfStreamException">There is less.</exception>
    internal void Read(BinaryReader reader)
    {
        reader.BaseStream.ReadExactly(_sums.bytes);
        var length = (int)_variables;
        for (var i = 0; i < _region.Patches; i++)
        {
            using var scope = NewDisposeScope();
            var products = _products.select(0, i);
            for (var row = 0; row < length; row++)
            {
                var values = products.select(0, row).narrow(0, row, length - row);
                reader.BaseStream.ReadExactly(values.bytes);
            }
        }
    }

    /// <summary>The sums of a patch's variables, for reading.</summary>
    internal ReadOnlySpan<double> Sums(int patch) =>
        MemoryMarshal.Cast<byte, double>(_sums.bytes).Slice(checked((int)(patch * _variables)), (int)_variables);

    /// <summary>The products of a patch's variables, row by row, of which the upper triangle counts.</summary>
    internal ReadOnlySpan<double> Products(int patch)
    {
        using var products = _products.select(0, patch);
        return MemoryMarshal.Cast<byte, double>(products.bytes);
    }

    Tensor Patches(Tensor rows, long count) => rows
        .narrow(2, _region.Top, _region.Rows * _region.PatchHeight)
        .narrow(3, _region.Left, _region.Columns * _region.PatchWidth)
        .reshape(count, _channels, _region.Rows, _region.PatchHeight, _region.Columns, _region.PatchWidth)
        .permute(2, 4, 0, 1, 3, 5)
        .reshape(_region.Patches, count, _variables);

    public void Dispose()
    {
        _sums.Dispose();
        _products.Dispose();
    }
}

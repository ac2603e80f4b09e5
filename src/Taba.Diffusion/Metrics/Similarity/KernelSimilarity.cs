using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Metrics.Similarity;

/// <summary>The kernels of a similarity of representations.</summary>
public enum SimilarityKernel
{
    /// <summary>x·y (upstream's "ip").</summary>
    Linear,

    /// <summary>exp(-|x - y|² / 2σ²).</summary>
    Rbf,
}

/// <summary>
/// How alike two sets of features of the same things are: the Hilbert-Schmidt independence criterion (Gretton et al. 2005; unbiased:
/// Song et al. 2012) and centred kernel alignment (Kornblith et al. 2019), as upstream's alignment.py has them.
/// </summary>
/// <remarks>
/// The kernel matrices are N x N and are made in blocks of about 256 MiB; 17 numbers are kept, because both criteria are sums over
/// elements and over products of row sums. Parts are ranges of rows. Not thread-safe.
/// </remarks>
public sealed class KernelSimilarity : IPartialSums<KernelSimilarity>
{
    const int FormatVersion = 1;

    // Where upstream keeps the quotient from 0/0.
    const double Epsilon = 1e-6;

    readonly long _rows;
    readonly SimilarityKernel _kernel;
    readonly double _sigma;
    readonly KernelSums _whole = new();
    readonly KernelSums _withoutDiagonal = new();
    long _measured;

    /// <param name="rows">m, 4 or more.</param>
    /// <param name="kernel">Of both sets.</param>
    /// <param name="sigma">σ of the second kernel, more than 0.</param>
    /// <exception cref="ArgumentException">There are fewer than 4 rows, or σ is not positive.</exception>
    public KernelSimilarity(long rows, SimilarityKernel kernel, double sigma = 1)
    {
        if (rows < 4)
            throw new ArgumentException($"The similarity of representations needs 4 rows or more, these are {rows}.", nameof(rows));
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(sigma);
        if (!Enum.IsDefined(kernel))
            throw new ArgumentOutOfRangeException(nameof(kernel), kernel, "There is no such kernel.");
        (_rows, _kernel, _sigma) = (rows, kernel, sigma);
    }

    /// <summary>Measures some rows against all.</summary>
    /// <param name="x">All m rows of one set.</param>
    /// <param name="y">All m rows of the other; they may be longer or shorter.</param>
    /// <param name="first">The first row of this part.</param>
    /// <param name="count">How many.</param>
    /// <param name="cancellation">Ends the work between two blocks; the analysis is then of no more use.</param>
    /// <exception cref="ArgumentException">There are not m rows.</exception>
    public void Measure(IRowAccess x, IRowAccess y, long first, long count, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        if (x.Rows != _rows || y.Rows != _rows)
            throw new ArgumentException($"The similarity of {_rows} rows is asked for; there are {x.Rows} and {y.Rows}.");

        using var factor = (-1 / (2 * _sigma * _sigma)).ToScalar();
        var part = RowSection.Of(first, count, _rows);
        var longer = Math.Max(x.RowLength, y.RowLength);
        foreach (var queries in part.Blocks(RowBlocks.QueryRows(longer)))
        {
            using var scope = NewDisposeScope();
            var (ofX, ofY) = (RowBlocks.Read(x, queries), RowBlocks.Read(y, queries));
            var sums = new RowSums(queries);
            foreach (var candidates in RowSection.Of(0, _rows, _rows).Blocks(RowBlocks.CandidateRows(longer)))
            {
                cancellation.ThrowIfCancellationRequested();
                using var block = NewDisposeScope();
                var k = Kernel(ofX, RowBlocks.Read(x, candidates), factor);
                var l = Kernel(ofY, RowBlocks.Read(y, candidates), factor);
                sums.Add(candidates, RowBlocks.Values(k), RowBlocks.Values(l));
                GC.KeepAlive(k);
                GC.KeepAlive(l);
            }

            sums.AddTo(_whole, _withoutDiagonal);
        }

        _measured += part.Count;
    }

    /// <summary>The criteria.</summary>
    /// <exception cref="InvalidOperationException">Rows are missing, or were measured twice.</exception>
    public KernelSimilarities Compute()
    {
        if (_measured != _rows)
            throw new InvalidOperationException($"The similarity of representations has {_rows} rows; {_measured} were measured.");
        var (biased, unbiased) = (_whole.Biased(_rows), _withoutDiagonal.Unbiased(_rows));
        return new(biased.Xy, unbiased.Xy, Alignment(biased), Alignment(unbiased));
    }

    /// <inheritdoc/>
    public void Merge(KernelSimilarity later)
    {
        ArgumentNullException.ThrowIfNull(later);
        if ((later._rows, later._kernel, later._sigma) != (_rows, _kernel, _sigma))
            throw new ArgumentException("Similarities of other rows or kernels cannot be put together.", nameof(later));
        _whole.Add(later._whole);
        _withoutDiagonal.Add(later._withoutDiagonal);
        _measured += later._measured;
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(FormatVersion);
        writer.Write(_rows);
        writer.Write((int)_kernel);
        writer.Write(_sigma);
        writer.Write(_measured);
        _whole.Write(writer);
        _withoutDiagonal.Write(writer);
    }

    /// <inheritdoc/>
    public static KernelSimilarity Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return PartialSumsFormat.Read("the similarity of representations", FormatVersion, reader, () =>
        {
            var read = new KernelSimilarity(reader.ReadInt64(), (SimilarityKernel)reader.ReadInt32(), reader.ReadDouble())
            {
                _measured = reader.ReadInt64(),
            };
            read._whole.Read(reader);
            read._withoutDiagonal.Read(reader);
            return read;
        });
    }

    Tensor Kernel(Tensor a, Tensor b, Scalar factor) => _kernel == SimilarityKernel.Linear
        ? RowBlocks.Products(a, b)
        : RowBlocks.SquaredDistances(a, b).mul_(factor).exp_();

    static double Alignment((double Xy, double Xx, double Yy) hsic) => hsic.Xy / (Math.Sqrt(hsic.Xx * hsic.Yy) + Epsilon);
}

/// <summary>
/// Criteria of independence (0 for independent features; no unit of their own) and alignments (1 for the same up to rotation).
/// </summary>
/// <param name="HsicBiased">tr(K·H·L·H), without a factor, as upstream.</param>
/// <param name="HsicUnbiased">Song et al. 2012, equation 5; may be negative.</param>
/// <param name="CkaBiased">Alignment by the first, 0 to 1.</param>
/// <param name="CkaUnbiased">Alignment by the second; NaN where a criterion of a set with itself is negative.</param>
public readonly record struct KernelSimilarities(double HsicBiased, double HsicUnbiased, double CkaBiased, double CkaUnbiased);

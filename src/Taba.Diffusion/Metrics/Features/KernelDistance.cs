using Taba.Diffusion.Randomness;
using static TorchSharp.torch;

namespace Taba.Diffusion.Metrics.Features;

/// <summary>
/// Kernel distance of two sets of features (of Inception features: KID, Bińkowski et al. 2018): the unbiased squared maximum mean
/// discrepancy with the kernel (x·y/D + 1)³, over 100 random subsets of 1,000 rows of each set; mean and population deviation. It may be a
/// little negative.
/// </summary>
/// <remarks>
/// Subsets are those of torch-fidelity, which upstream calls: heads of permutations by NumPy's RandomState(2020), the reference's before
/// the generated's. Rows of one subset of each set are held (33 MB for D = 2048). Parts are ranges of subsets, so a part draws the
/// permutations of those before it too; a number a subset is kept, and the parts equal the whole exactly. Not thread-safe.
/// </remarks>
public sealed class KernelDistance : IPartialSums<KernelDistance>
{
    /// <summary>torch-fidelity's number of subsets.</summary>
    public const int DefaultSubsets = 100;

    /// <summary>And their size.</summary>
    public const int DefaultSubsetSize = 1000;

    /// <summary>And its seed.</summary>
    public const long DefaultSeed = 2020;

    const int FormatVersion = 1;
    const int MostSubsets = 100_000;

    readonly int _subsets;
    readonly int _subsetSize;
    readonly long _seed;
    readonly SortedDictionary<int, double> _values = [];

    /// <param name="subsets">1 to 100,000.</param>
    /// <param name="subsetSize">Rows of a subset, 2 or more.</param>
    /// <param name="seed">0 to 2^32 - 1.</param>
    public KernelDistance(int subsets = DefaultSubsets, int subsetSize = DefaultSubsetSize, long seed = DefaultSeed)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(subsets, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(subsets, MostSubsets);
        ArgumentOutOfRangeException.ThrowIfLessThan(subsetSize, 2);
        ArgumentOutOfRangeException.ThrowIfNegative(seed);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(seed, uint.MaxValue);
        (_subsets, _subsetSize, _seed) = (subsets, subsetSize, seed);
    }

    /// <summary>Measures some subsets.</summary>
    /// <param name="reference">Features of the reference.</param>
    /// <param name="generated">Features of what was generated; the number of rows may be another.</param>
    /// <param name="first">The first subset of this part.</param>
    /// <param name="count">How many.</param>
    /// <param name="cancellation">Ends the work between two subsets.</param>
    /// <exception cref="ArgumentException">A set has fewer rows than a subset, or features have other lengths.</exception>
    public void Measure(
        IRowAccess reference, IRowAccess generated, int first, int count, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        ArgumentNullException.ThrowIfNull(generated);
        RowBlocks.CheckLengths(reference, generated);
        if (Math.Min(reference.Rows, generated.Rows) < _subsetSize)
        {
            throw new ArgumentException(
                $"The kernel distance draws subsets of {_subsetSize} rows; the reference has {reference.Rows}, the generated set "
                + $"{generated.Rows}.");
        }

        var part = RowSection.Of(first, count, _subsets);
        var random = new NumpyRandomState(_seed);
        for (var subset = 0; subset < part.End; subset++)
        {
            cancellation.ThrowIfCancellationRequested();
            var ofReference = random.PermutationHead(reference.Rows, _subsetSize);
            var ofGenerated = random.PermutationHead(generated.Rows, _subsetSize);
            if (subset >= part.First)
                _values[subset] = Discrepancy(reference, ofReference, generated, ofGenerated);
        }
    }

    /// <summary>Mean and population deviation over subsets.</summary>
    /// <exception cref="InvalidOperationException">Subsets are missing.</exception>
    public MeanStd Compute() => _values.Count == _subsets
        ? MeanStd.Population(_values.Values)
        : throw new InvalidOperationException($"The kernel distance has {_subsets} subsets; {_values.Count} were measured.");

    /// <inheritdoc/>
    public void Merge(KernelDistance later)
    {
        ArgumentNullException.ThrowIfNull(later);
        if ((later._subsets, later._subsetSize, later._seed) != (_subsets, _subsetSize, _seed))
            throw new ArgumentException("Kernel distances of other subsets cannot be put together.", nameof(later));
        foreach (var (subset, value) in later._values)
            _values[subset] = value;
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(FormatVersion);
        writer.Write(_subsets);
        writer.Write(_subsetSize);
        writer.Write(_seed);
        writer.WriteAll([.. _values.Keys.Select(subset => (long)subset)]);
        writer.WriteAll([.. _values.Values]);
    }

    /// <inheritdoc/>
    public static KernelDistance Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return PartialSumsFormat.Read("the kernel distance", FormatVersion, reader, () =>
        {
            var read = new KernelDistance(reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt64());
            var subsets = reader.ReadLongs(read._subsets);
            var values = reader.ReadDoubles(read._subsets);
            if (subsets.Length != values.Length || subsets.Any(subset => subset < 0 || subset >= read._subsets))
                throw new InvalidDataException("The kernel distance does not have a value for each of its subsets.");
            foreach (var (subset, value) in subsets.Zip(values))
                read._values[(int)subset] = value;
            return read;
        });
    }

    double Discrepancy(IRowAccess reference, long[] ofReference, IRowAccess generated, long[] ofGenerated)
    {
        using var scope = NewDisposeScope();
        var (x, y) = (RowBlocks.Read(reference, ofReference), RowBlocks.Read(generated, ofGenerated));
        double m = _subsetSize;
        var within = Sum(x, x, withDiagonal: false) + Sum(y, y, withDiagonal: false);
        return (within / (m * (m - 1))) - (2 * Sum(x, y, withDiagonal: true) / (m * m));
    }

    /// <summary>The sum of the kernel over pairs of rows.</summary>
    static double Sum(Tensor a, Tensor b, bool withDiagonal)
    {
        using var products = RowBlocks.Products(a, b);
        var values = RowBlocks.Values(products);
        var (rows, columns, dimensions) = ((int)a.shape[0], (int)b.shape[0], (double)a.shape[1]);
        var sum = 0.0;
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
            {
                var linear = (values[(i * columns) + j] / dimensions) + 1;
                sum += withDiagonal || i != j ? linear * linear * linear : 0;
            }
        }

        GC.KeepAlive(products);
        return sum;
    }
}

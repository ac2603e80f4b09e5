using Taba.Diffusion.Metrics.Neighbours;

namespace Taba.Diffusion.Metrics.Features;

/// <summary>
/// How far the k-th nearest neighbour of each feature of a set is within that set: the balls that <see cref="PrecisionRecall"/> takes for
/// the set's manifold (Kynkäänniemi et al. 2019). It keeps a number a row; rows are compared in blocks of about 256 MiB. Parts are ranges
/// of rows, put together in their order. Not thread-safe.
/// </summary>
public sealed class ManifoldRadii : IPartialSums<ManifoldRadii>
{
    /// <summary>torch-fidelity's k; it counts the feature itself in and calls it 4.</summary>
    public const int DefaultNeighbours = 3;

    const int FormatVersion = 1;

    readonly int _neighbours;
    readonly List<double> _squared = [];

    /// <param name="firstRow">The row that this part begins with.</param>
    /// <param name="neighbours">k, 1 or more.</param>
    public ManifoldRadii(long firstRow = 0, int neighbours = DefaultNeighbours)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstRow);
        ArgumentOutOfRangeException.ThrowIfLessThan(neighbours, 1);
        (FirstRow, _neighbours) = (firstRow, neighbours);
    }

    /// <summary>The row that this part begins with.</summary>
    public long FirstRow { get; }

    /// <summary>Rows measured.</summary>
    public long Count => _squared.Count;

    /// <summary>Squared radii of the rows from <see cref="FirstRow"/> on.</summary>
    public IReadOnlyList<double> Squared => _squared;

    /// <summary>Measures the rows that follow those before.</summary>
    /// <param name="features">All rows of the set.</param>
    /// <param name="count">How many more.</param>
    /// <param name="cancellation">Ends the work between two blocks; then nothing was added.</param>
    /// <exception cref="ArgumentException">The set has no more than k rows, or fewer than are asked for.</exception>
    public void Measure(IRowAccess features, long count, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(features);
        if (features.Rows <= _neighbours)
            throw new ArgumentException(
                $"The radii of {_neighbours} neighbours need more than {_neighbours} features; there are {features.Rows}.");

        var found = new List<double>();
        Nearest.Find(
            features,
            RowSection.Of(FirstRow + Count, count, features.Rows),
            features,
            RowSection.Of(0, features.Rows, features.Rows),
            _neighbours,
            withoutItself: true,
            (block, nearest) =>
            {
                for (var i = 0; i < block.Count; i++)
                    found.Add(nearest.Distances(i)[^1]);
            },
            cancellation);
        _squared.AddRange(found);
    }

    /// <inheritdoc/>
    public void Merge(ManifoldRadii later)
    {
        ArgumentNullException.ThrowIfNull(later);
        if (later._neighbours != _neighbours || later.FirstRow != FirstRow + Count)
            throw new ArgumentException(
                $"Radii of {later._neighbours} neighbours from row {later.FirstRow} on do not follow radii of {_neighbours} neighbours "
                + $"up to row {FirstRow + Count}.",
                nameof(later));
        _squared.AddRange(later._squared);
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(FormatVersion);
        writer.Write(FirstRow);
        writer.Write(_neighbours);
        writer.WriteAll([.. _squared]);
    }

    /// <inheritdoc/>
    public static ManifoldRadii Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return PartialSumsFormat.Read("the radii of features", FormatVersion, reader, () =>
        {
            var read = new ManifoldRadii(reader.ReadInt64(), reader.ReadInt32());
            read._squared.AddRange(reader.ReadDoubles(Array.MaxLength));
            return read;
        });
    }
}

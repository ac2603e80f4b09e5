namespace Taba.Diffusion.Metrics.Neighbours;

/// <summary>
/// How many of the k nearest neighbours that a row has in one set it also has in another: mean and population deviation over rows, between
/// 0 and k (upstream's KNN of the training-step study, k 50, a row not among its own neighbours).
/// </summary>
/// <remarks>
/// Upstream first scales each set by one minimum and maximum. That multiplies all distances of a set by one number and so changes no
/// neighbour; it is not done here. Every row is compared with every other, in blocks of about 256 MiB; three numbers are kept. Parts are
/// ranges of rows and equal the whole exactly. Not thread-safe.
/// </remarks>
public sealed class NeighbourOverlap : IPartialSums<NeighbourOverlap>
{
    /// <summary>Upstream's k.</summary>
    public const int DefaultNeighbours = 50;

    const int FormatVersion = 1;

    readonly long _rows;
    readonly int _neighbours;
    long _measured;
    long _common;
    long _squares;

    /// <param name="rows">N.</param>
    /// <param name="neighbours">k, 1 or more.</param>
    /// <exception cref="ArgumentException">There are not more rows than neighbours.</exception>
    public NeighbourOverlap(long rows, int neighbours = DefaultNeighbours)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(neighbours, 1);
        if (rows <= neighbours)
            throw new ArgumentException($"The overlap of {neighbours} neighbours needs more than {neighbours} rows, these are {rows}.");
        (_rows, _neighbours) = (rows, neighbours);
    }

    /// <summary>Measures some rows.</summary>
    /// <param name="a">All N rows of one set.</param>
    /// <param name="b">All N rows of the other; its rows may be longer or shorter.</param>
    /// <param name="first">The first row of this part.</param>
    /// <param name="count">How many.</param>
    /// <param name="cancellation">Ends the work between two blocks; then nothing was counted.</param>
    /// <exception cref="ArgumentException">There are not N rows.</exception>
    public void Measure(IRowAccess a, IRowAccess b, long first, long count, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (a.Rows != _rows || b.Rows != _rows)
            throw new ArgumentException($"The overlap of neighbours of {_rows} rows is asked for; there are {a.Rows} and {b.Rows}.");

        var part = RowSection.Of(first, count, _rows);
        var ofA = new List<HashSet<long>>();
        var (common, squares) = (0L, 0L);
        foreach (var rows in part.Blocks(RowsAtOnce))
        {
            ofA.Clear();
            Find(a, rows, found => ofA.Add([.. found]), cancellation);
            var at = 0;
            Find(b, rows, found => Count(ofA[at++], found), cancellation);
        }

        _measured += part.Count;
        _common += common;
        _squares += squares;

        void Count(HashSet<long> ours, ReadOnlySpan<long> theirs)
        {
            var overlap = 0L;
            foreach (var row in theirs)
                overlap += row >= 0 && ours.Contains(row) ? 1 : 0;
            common += overlap;
            squares += overlap * overlap;
        }
    }

    /// <summary>Mean and population deviation of the number of common neighbours.</summary>
    /// <exception cref="InvalidOperationException">Rows are missing, or were measured twice.</exception>
    public MeanStd Compute()
    {
        if (_measured != _rows)
            throw new InvalidOperationException($"The overlap of neighbours has {_rows} rows; {_measured} were measured.");
        var mean = (double)_common / _rows;

        // N·Σx² - (Σx)² in integers: nothing is lost.
        var variance = (double)(((Int128)_rows * _squares) - ((Int128)_common * _common)) / _rows / _rows;
        return new(mean, Math.Sqrt(variance));
    }

    /// <inheritdoc/>
    public void Merge(NeighbourOverlap later)
    {
        ArgumentNullException.ThrowIfNull(later);
        if ((later._rows, later._neighbours) != (_rows, _neighbours))
            throw new ArgumentException("Overlaps of neighbours of other rows or settings cannot be put together.", nameof(later));
        _measured += later._measured;
        _common += later._common;
        _squares += later._squares;
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(FormatVersion);
        writer.Write(_rows);
        writer.Write(_neighbours);
        writer.Write(_measured);
        writer.Write(_common);
        writer.Write(_squares);
    }

    /// <inheritdoc/>
    public static NeighbourOverlap Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return PartialSumsFormat.Read("the overlap of neighbours", FormatVersion, reader, () =>
            new NeighbourOverlap(reader.ReadInt64(), reader.ReadInt32())
            {
                _measured = reader.ReadInt64(),
                _common = reader.ReadInt64(),
                _squares = reader.ReadInt64(),
            });
    }

    const int RowsAtOnce = 1024;

    delegate void Found(ReadOnlySpan<long> rows);

    void Find(IRowAccess set, RowSection rows, Found found, CancellationToken cancellation) => Nearest.Find(
        set,
        rows,
        set,
        RowSection.Of(0, _rows, _rows),
        _neighbours,
        withoutItself: true,
        (block, nearest) =>
        {
            for (var i = 0; i < block.Count; i++)
                found(nearest.Rows(i));
        },
        cancellation);
}

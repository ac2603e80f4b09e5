namespace Taba.Diffusion.Metrics.Uncertainty;

/// <summary>
/// Sums of a few values of each row, by group of rows: what is needed for the jackknife of a mean, or of any function of means, such as
/// a deviation of all elements. A few hundred bytes.
/// </summary>
public sealed class GroupedMeans : IPartialSums<GroupedMeans>
{
    const int MostValues = 64;
    const int FormatVersion = 1;

    readonly long _rows;
    readonly int _values;
    readonly double[] _sums;
    readonly long[] _counts = new long[RowGroups.Count];
    long _next;

    /// <summary>Sums without rows yet.</summary>
    /// <param name="rows">N: all rows that are measured, in all parts.</param>
    /// <param name="values">Values of a row, 1 to 64.</param>
    /// <param name="firstRow">The place of the first row to come among all.</param>
    public GroupedMeans(long rows, int values = 1, long firstRow = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(values, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(values, MostValues);
        ArgumentOutOfRangeException.ThrowIfNegative(firstRow);
        (_rows, _values, _next) = (rows, values, firstRow);
        _sums = new double[RowGroups.Count * values];
    }

    /// <summary>Rows so far.</summary>
    public long Count => _counts.Sum();

    /// <summary>Takes in the next row.</summary>
    /// <exception cref="InvalidOperationException">There are more rows than were named.</exception>
    public void Add(params ReadOnlySpan<double> values)
    {
        if (_next >= _rows)
            throw new InvalidOperationException($"All {_rows} rows were added.");
        if (values.Length != _values)
            throw new ArgumentException($"A row has {_values} values here, not {values.Length}.", nameof(values));
        var group = RowGroups.Of(_next++, _rows);
        _counts[group]++;
        for (var i = 0; i < values.Length; i++)
            _sums[group * _values + i] += values[i];
    }

    /// <summary>
    /// A function of the means of all values, of all rows and without each quarter; null below <see cref="RowGroups.FewestRows"/>.
    /// </summary>
    public Jackknife? Compute(Func<double[], double> ofMeans)
    {
        ArgumentNullException.ThrowIfNull(ofMeans);
        return Count < RowGroups.FewestRows
            ? null
            : new(Of(_ => true), [.. Enumerable.Range(0, RowGroups.LineCount).Select(l => Of(g => !RowGroups.LeavesOut(l, g)))]);

        double Of(Func<int, bool> counts)
        {
            var groups = Enumerable.Range(0, RowGroups.Count).Where(counts).ToList();
            var rows = (double)groups.Sum(g => _counts[g]);
            return ofMeans([.. Enumerable.Range(0, _values).Select(i => groups.Sum(g => _sums[g * _values + i]) / rows)]);
        }
    }

    /// <summary>The mean of the first value.</summary>
    public Jackknife? Mean() => Compute(means => means[0]);

    /// <inheritdoc/>
    public void Merge(GroupedMeans later)
    {
        ArgumentNullException.ThrowIfNull(later);
        if (later._rows != _rows || later._values != _values)
            throw new ArgumentException("The other sums are of another number of rows or values.", nameof(later));
        for (var i = 0; i < _sums.Length; i++)
            _sums[i] += later._sums[i];
        for (var i = 0; i < _counts.Length; i++)
            _counts[i] += later._counts[i];
        _next = Math.Max(_next, later._next);
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(FormatVersion);
        writer.Write(_rows);
        writer.Write(_values);
        writer.Write(_next);
        writer.WriteAll(_counts);
        writer.WriteAll(_sums);
    }

    /// <inheritdoc/>
    public static GroupedMeans Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return PartialSumsFormat.Read("means by groups of rows", FormatVersion, reader, () =>
        {
            var read = new GroupedMeans(reader.ReadInt64(), reader.ReadInt32(), reader.ReadInt64());
            RowGroups.ReadCounts(reader, read._counts, read._rows);
            reader.ReadDoubles(read._sums.Length).CopyTo(read._sums, 0);
            return read;
        });
    }
}

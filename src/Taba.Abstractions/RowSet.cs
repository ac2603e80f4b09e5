using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Orleans;

namespace Taba;

/// <summary>
/// A set of rows as sorted, disjoint, non-adjacent ranges. Immutable. Its size follows the number of gaps, not of rows,
/// which is what keeps the state of a stage small however many parts it has. An operation with a set of a few ranges looks for their place
/// and copies the rest; one of two large sets passes over both once.
/// </summary>
[GenerateSerializer, Immutable, Alias("taba.RowSet")]
public sealed record RowSet([property: Id(0)] ImmutableArray<RowRange> Ranges)
{
    /// <summary>So many ranges are put into a larger set one by one.</summary>
    const int Few = 4;

    public static readonly RowSet Empty = new(ImmutableArray<RowRange>.Empty);

    public static RowSet Of(params ReadOnlySpan<RowRange> ranges)
    {
        if (ranges.Length == 0)
            return Empty;
        var sorted = ranges.ToArray();
        Array.Sort(sorted, static (a, b) => a.Start.CompareTo(b.Start));
        var merged = new Merged(sorted.Length);
        foreach (var range in sorted)
            merged.Add(range);
        return merged.ToSet();
    }

    public bool IsEmpty => Ranges.IsEmpty;

    public int Count
    {
        get
        {
            var count = 0;
            foreach (var range in Ranges)
                count += range.Count;
            return count;
        }
    }

    public RowSet Add(RowRange range)
    {
        if (range.IsEmpty)
            return this;
        // Those that touch it become one with it.
        var first = FirstEndingAfter(range.Start - 1);
        var end = first;
        while (end < Ranges.Length && Ranges[end].Start <= range.End)
            end++;
        if (end == first)
            return Replaced(first, end, range);
        var whole = new RowRange(Math.Min(range.Start, Ranges[first].Start), Math.Max(range.End, Ranges[end - 1].End));
        return end == first + 1 && Ranges[first] == whole ? this : Replaced(first, end, whole);
    }

    public RowSet Union(RowSet other)
    {
        if (other.IsEmpty)
            return this;
        if (IsEmpty)
            return other;
        if (other.IsFewBeside(this))
            return other.Ranges.Aggregate(this, (set, range) => set.Add(range));
        if (IsFewBeside(other))
            return other.Union(this);
        var merged = new Merged(Ranges.Length + other.Ranges.Length);
        var (i, j) = (0, 0);
        while (i < Ranges.Length || j < other.Ranges.Length)
        {
            var fromThis = j == other.Ranges.Length || (i < Ranges.Length && Ranges[i].Start <= other.Ranges[j].Start);
            merged.Add(fromThis ? Ranges[i++] : other.Ranges[j++]);
        }
        return merged.ToSet();
    }

    public RowSet Subtract(RowRange range)
    {
        if (range.IsEmpty)
            return this;
        var (first, end) = Meeting(range);
        if (first == end)
            return this;
        var before = new RowRange(Ranges[first].Start, range.Start);
        var after = new RowRange(range.End, Ranges[end - 1].End);
        return (before.IsEmpty, after.IsEmpty) switch
        {
            (true, true) => Replaced(first, end),
            (false, true) => Replaced(first, end, before),
            (true, false) => Replaced(first, end, after),
            _ => Replaced(first, end, before, after),
        };
    }

    public RowSet Subtract(RowSet other)
    {
        if (IsEmpty || other.IsEmpty)
            return this;
        if (other.IsFewBeside(this))
            return other.Ranges.Aggregate(this, (set, range) => set.Subtract(range));
        var (j, last) = other.Meeting(new(Ranges[0].Start, Ranges[^1].End));
        if (j == last)
            return this;
        var rest = new Merged(Ranges.Length + last - j);
        foreach (var range in Ranges)
        {
            j = other.FirstEndingAfter(range.Start, j);
            var start = range.Start;
            for (var k = j; k < other.Ranges.Length && other.Ranges[k].Start < range.End; k++)
            {
                rest.Add(new(start, other.Ranges[k].Start));
                start = other.Ranges[k].End;
                // The last of these may reach into the next range.
                j = k;
            }
            rest.Add(new(start, range.End));
        }
        return rest.ToSet();
    }

    public RowSet Intersect(RowRange range)
    {
        var (first, end) = Meeting(range);
        if (first == end)
            return Empty;
        if (first == 0 && end == Ranges.Length && range.Contains(new(Ranges[0].Start, Ranges[^1].End)))
            return this;
        var common = Ranges.AsSpan()[first..end].ToArray();
        common[0] = common[0].Intersect(range);
        common[^1] = common[^1].Intersect(range);
        return new(ImmutableCollectionsMarshal.AsImmutableArray(common));
    }

    public RowSet Intersect(RowSet other)
    {
        if (other.Ranges.Length == 1)
            return Intersect(other.Ranges[0]);
        if (Ranges.Length == 1)
            return other.Intersect(Ranges[0]);
        var common = new Merged(Math.Min(Ranges.Length, other.Ranges.Length));
        var (i, j) = (0, 0);
        while (i < Ranges.Length && j < other.Ranges.Length)
        {
            common.Add(Ranges[i].Intersect(other.Ranges[j]));
            if (Ranges[i].End <= other.Ranges[j].End)
                i++;
            else
                j++;
        }
        return common.ToSet();
    }

    public bool Contains(RowRange range) =>
        range.IsEmpty || (FirstEndingAfter(range.Start) is var i && i < Ranges.Length && Ranges[i].Contains(range));

    /// <summary>How many of its rows are in a range.</summary>
    public int CountIn(RowRange range)
    {
        var (first, end) = Meeting(range);
        var count = 0;
        for (var i = first; i < end; i++)
            count += Ranges[i].Intersect(range).Count;
        return count;
    }

    /// <summary>The index of the first range that ends behind a row; how many there are when none does.</summary>
    /// <param name="from">None before this one does.</param>
    public int FirstEndingAfter(int row, int from = 0)
    {
        // It is mostly near.
        var (low, step) = (from, 1);
        while (low + step < Ranges.Length && Ranges[low + step].End <= row)
            (low, step) = (low + step, step * 2);
        var high = Math.Min(Ranges.Length, low + step + 1);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (Ranges[middle].End <= row)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    /// <summary>The rows in which this differs from another set lie in this range; empty where both are the same.</summary>
    public RowRange Differing(RowSet other)
    {
        var mine = Ranges.AsSpan();
        var theirs = other.Ranges.AsSpan();
        var first = MemoryMarshal.Cast<RowRange, long>(mine).CommonPrefixLength(MemoryMarshal.Cast<RowRange, long>(theirs));
        mine = mine[first..];
        theirs = theirs[first..];
        var last = 0;
        while (last < mine.Length && last < theirs.Length && mine[^(last + 1)] == theirs[^(last + 1)])
            last++;
        mine = mine[..^last];
        theirs = theirs[..^last];
        return (mine.Length, theirs.Length) switch
        {
            (0, 0) => default,
            (_, 0) => new(mine[0].Start, mine[^1].End),
            (0, _) => new(theirs[0].Start, theirs[^1].End),
            _ => new(Math.Min(mine[0].Start, theirs[0].Start), Math.Max(mine[^1].End, theirs[^1].End)),
        };
    }

    public bool Equals(RowSet? other) => other is not null && (Ranges == other.Ranges
        || MemoryMarshal.Cast<RowRange, long>(Ranges.AsSpan()).SequenceEqual(MemoryMarshal.Cast<RowRange, long>(other.Ranges.AsSpan())));

    public override int GetHashCode() => Ranges.Aggregate(17, HashCode.Combine);

    public override string ToString() => string.Join(" ", Ranges);

    bool IsFewBeside(RowSet other) => Ranges.Length <= Few && other.Ranges.Length > 2 * Few;

    /// <summary>Indices of the ranges that have rows of another.</summary>
    (int First, int End) Meeting(RowRange range)
    {
        if (range.IsEmpty)
            return (0, 0);
        var first = FirstEndingAfter(range.Start);
        var last = FirstEndingAfter(range.End - 1, first);
        // It ends behind the range; it belongs to it when it begins before that ends.
        return (first, last < Ranges.Length && Ranges[last].Start < range.End ? last + 1 : last);
    }

    /// <summary>Others in place of the ranges [first, end).</summary>
    RowSet Replaced(int first, int end, params ReadOnlySpan<RowRange> others)
    {
        var ranges = new RowRange[Ranges.Length - (end - first) + others.Length];
        if (ranges.Length == 0)
            return Empty;
        Ranges.AsSpan(0, first).CopyTo(ranges);
        others.CopyTo(ranges.AsSpan(first));
        Ranges.AsSpan()[end..].CopyTo(ranges.AsSpan(first + others.Length));
        return new(ImmutableCollectionsMarshal.AsImmutableArray(ranges));
    }

    /// <summary>Takes ranges in the order of their starts and joins those that touch.</summary>
    struct Merged(int capacity)
    {
        readonly ImmutableArray<RowRange>.Builder _ranges = ImmutableArray.CreateBuilder<RowRange>(capacity);

        public readonly void Add(RowRange range)
        {
            if (range.IsEmpty)
                return;
            if (_ranges.Count > 0 && _ranges[^1] is var last && last.End >= range.Start)
                _ranges[^1] = new(last.Start, Math.Max(last.End, range.End));
            else
                _ranges.Add(range);
        }

        public readonly RowSet ToSet() => _ranges.Count == 0 ? Empty : new(_ranges.DrainToImmutable());
    }
}

using System.Collections.Immutable;
using Orleans;

namespace Taba;

/// <summary>
/// A set of rows as sorted, disjoint, non-adjacent ranges. Immutable. Its size follows the number of gaps, not of rows,
/// which is what keeps the state of a stage small however many parts it has. Every operation passes over the ranges once.
/// </summary>
[GenerateSerializer, Immutable, Alias("taba.RowSet")]
public sealed record RowSet([property: Id(0)] ImmutableArray<RowRange> Ranges)
{
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

    public int Count => Ranges.Sum(r => r.Count);

    public RowSet Add(RowRange range) => range.IsEmpty ? this : Union(new([range]));

    public RowSet Union(RowSet other)
    {
        if (other.IsEmpty)
            return this;
        if (IsEmpty)
            return other;
        var merged = new Merged(Ranges.Length + other.Ranges.Length);
        var (i, j) = (0, 0);
        while (i < Ranges.Length || j < other.Ranges.Length)
        {
            var fromThis = j == other.Ranges.Length || (i < Ranges.Length && Ranges[i].Start <= other.Ranges[j].Start);
            merged.Add(fromThis ? Ranges[i++] : other.Ranges[j++]);
        }
        return merged.ToSet();
    }

    public RowSet Subtract(RowRange range) => range.IsEmpty ? this : Subtract(new RowSet([range]));

    public RowSet Subtract(RowSet other)
    {
        if (IsEmpty || other.IsEmpty)
            return this;
        var rest = new Merged(Ranges.Length + other.Ranges.Length);
        var j = 0;
        foreach (var range in Ranges)
        {
            while (j < other.Ranges.Length && other.Ranges[j].End <= range.Start)
                j++;
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

    public RowSet Intersect(RowRange range) => range.IsEmpty ? Empty : Intersect(new RowSet([range]));

    public RowSet Intersect(RowSet other)
    {
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

    public bool Contains(RowRange range)
    {
        if (range.IsEmpty)
            return true;
        var (low, high) = (0, Ranges.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (Ranges[middle].Contains(range))
                return true;
            if (Ranges[middle].End <= range.Start)
                low = middle + 1;
            else
                high = middle - 1;
        }
        return false;
    }

    public bool Equals(RowSet? other) => other is not null && Ranges.AsSpan().SequenceEqual(other.Ranges.AsSpan());

    public override int GetHashCode() => Ranges.Aggregate(17, HashCode.Combine);

    public override string ToString() => string.Join(" ", Ranges);

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

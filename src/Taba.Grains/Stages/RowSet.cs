using System.Collections.Immutable;

namespace Taba.Grains.Stages;

/// <summary>
/// A set of rows as sorted, disjoint, non-adjacent ranges. Immutable. Its size follows the number of gaps, not of rows,
/// which is what keeps the state of a stage small however many parts it has.
/// </summary>
[GenerateSerializer, Immutable, Alias("taba.RowSet")]
public sealed record RowSet([property: Id(0)] ImmutableArray<RowRange> Ranges)
{
    public static readonly RowSet Empty = new(ImmutableArray<RowRange>.Empty);

    public static RowSet Of(params ReadOnlySpan<RowRange> ranges)
    {
        var set = Empty;
        foreach (var range in ranges)
            set = set.Add(range);
        return set;
    }

    public bool IsEmpty => Ranges.IsEmpty;

    public int Count => Ranges.Sum(r => r.Count);

    public RowSet Add(RowRange range)
    {
        if (range.IsEmpty)
            return this;
        var merged = ImmutableArray.CreateBuilder<RowRange>(Ranges.Length + 1);
        var pending = range;
        var placed = false;
        foreach (var r in Ranges)
        {
            if (r.End < pending.Start)
                merged.Add(r);
            else if (r.Start > pending.End)
            {
                if (!placed)
                    merged.Add(pending);
                placed = true;
                merged.Add(r);
            }
            else
                pending = new(Math.Min(r.Start, pending.Start), Math.Max(r.End, pending.End));
        }
        if (!placed)
            merged.Add(pending);
        return new(merged.ToImmutable());
    }

    public RowSet Union(RowSet other) => other.Ranges.Aggregate(this, (set, range) => set.Add(range));

    public RowSet Subtract(RowRange range)
    {
        if (range.IsEmpty)
            return this;
        var rest = ImmutableArray.CreateBuilder<RowRange>(Ranges.Length + 1);
        foreach (var r in Ranges)
        {
            var before = new RowRange(r.Start, Math.Min(r.End, range.Start));
            var after = new RowRange(Math.Max(r.Start, range.End), r.End);
            if (!before.IsEmpty)
                rest.Add(before);
            if (!after.IsEmpty)
                rest.Add(after);
        }
        return new(rest.ToImmutable());
    }

    public RowSet Subtract(RowSet other) => other.Ranges.Aggregate(this, (set, range) => set.Subtract(range));

    public RowSet Intersect(RowRange range) =>
        new([.. Ranges.Select(r => r.Intersect(range)).Where(r => !r.IsEmpty)]);

    public RowSet Intersect(RowSet other) => other.Ranges.Aggregate(Empty, (set, range) => set.Union(Intersect(range)));

    public bool Contains(RowRange range) => range.IsEmpty || Ranges.Any(r => r.Contains(range));

    public bool Equals(RowSet? other) => other is not null && Ranges.AsSpan().SequenceEqual(other.Ranges.AsSpan());

    public override int GetHashCode() => Ranges.Aggregate(17, HashCode.Combine);

    public override string ToString() => string.Join(" ", Ranges);
}

using CsCheck;

namespace Taba.Abstractions.Tests;

/// <summary>A set of ranges behaves as the set of its rows.</summary>
public sealed class RowSetTests
{
    static readonly Gen<RowRange> s_range = Gen.Select(
        Gen.Int[0, 60], Gen.Int[0, 12], (start, count) => new RowRange(start, start + count));
    static readonly Gen<RowRange[]> s_ranges = s_range.Array[0, 12];
    // Far apart: so many that a few are put into them one by one.
    static readonly Gen<RowRange[]> s_many = Gen.Select(
        Gen.Int[0, 400], Gen.Int[0, 12], (start, count) => new RowRange(start, start + count)).Array[0, 60];
    static readonly Gen<RowRange[]> s_any = Gen.OneOf(s_ranges, s_many);
    static readonly Gen<(RowRange[] A, RowRange[] B)> s_pair = Gen.Select(s_any, s_any);

    [Fact]
    public void Of_AnyRanges_HoldsTheirRows() => s_ranges.Sample(ranges => Agree(RowSet.Of(ranges), Model(ranges)));

    [Fact]
    public void Union_AnySets_IsTheModelsUnion() =>
        s_pair.Sample(p => Agree(RowSet.Of(p.A).Union(RowSet.Of(p.B)), [.. Model(p.A).Union(Model(p.B))]));

    [Fact]
    public void Subtract_AnySets_IsTheModelsDifference() =>
        s_pair.Sample(p => Agree(RowSet.Of(p.A).Subtract(RowSet.Of(p.B)), [.. Model(p.A).Except(Model(p.B))]));

    [Fact]
    public void Intersect_AnySets_IsTheModelsIntersection() =>
        s_pair.Sample(p => Agree(RowSet.Of(p.A).Intersect(RowSet.Of(p.B)), [.. Model(p.A).Intersect(Model(p.B))]));

    [Fact]
    public void IntersectRange_AnySet_IsTheModelsIntersection() =>
        Gen.Select(s_any, s_range).Sample((ranges, range) =>
            Agree(RowSet.Of(ranges).Intersect(range), [.. Model(ranges).Intersect(Model([range]))]));

    [Fact]
    public void AddRange_AnySet_IsTheModelsUnion() =>
        Gen.Select(s_any, s_range).Sample((ranges, range) =>
            Agree(RowSet.Of(ranges).Add(range), [.. Model(ranges).Union(Model([range]))]));

    [Fact]
    public void SubtractRange_AnySet_IsTheModelsDifference() =>
        Gen.Select(s_any, s_range).Sample((ranges, range) =>
            Agree(RowSet.Of(ranges).Subtract(range), [.. Model(ranges).Except(Model([range]))]));

    [Fact]
    public void CountIn_AnyRange_CountsTheModelsRows() =>
        Gen.Select(s_any, s_range).Sample((ranges, range) =>
            RowSet.Of(ranges).CountIn(range) == Model(ranges).Intersect(Model([range])).Count());

    [Fact]
    public void Contains_AnyRange_IsTrueWhenTheModelHoldsAllItsRows() =>
        Gen.Select(s_any, s_range).Sample((ranges, range) =>
            RowSet.Of(ranges).Contains(range) == Model([range]).IsSubsetOf(Model(ranges)));

    [Fact]
    public void FirstEndingAfter_AnyRow_IsTheFirst() =>
        Gen.Select(s_any, Gen.Int[0, 420], Gen.Int[0, 420]).Sample((ranges, row, earlier) =>
        {
            var set = RowSet.Of(ranges);
            var from = set.FirstEndingAfter(Math.Min(row, earlier));
            return set.FirstEndingAfter(row, from) == set.Ranges.Count(r => r.End <= row);
        });

    [Fact]
    public void Differing_AnySets_HoldsTheRowsOfOneOnly() =>
        s_pair.Sample(p =>
        {
            var (a, b) = (RowSet.Of(p.A), RowSet.Of(p.B));
            var range = a.Differing(b);
            Assert.True(a.Subtract(range) == b.Subtract(range), $"{a} and {b} differ beside {range}");
            Assert.Equal(a == b, range.IsEmpty);
        });

    [Fact]
    public void Equals_SameRowsInAnyOrder_IsTrue() =>
        Gen.Select(s_ranges, s_ranges).Sample((a, b) =>
        {
            var one = RowSet.Of([.. a, .. b]);
            var other = RowSet.Of([.. b.Reverse(), .. a.Reverse()]);
            Assert.Equal(one, other);
            Assert.Equal(one.GetHashCode(), other.GetHashCode());
        });

    [Fact]
    public void Add_RowsOneByOne_IsOneRange()
    {
        var set = Enumerable.Range(0, 100).Reverse().Aggregate(RowSet.Empty, (s, row) => s.Add(new(row, row + 1)));
        Assert.Equal([new RowRange(0, 100)], set.Ranges.AsEnumerable());
    }

    [Fact]
    public void Intersect_EverythingWithASet_IsTheSet()
    {
        var set = RowSet.Of(new RowRange(3, 5), new RowRange(9, 11));
        Assert.Equal(set, RowSet.Of(new RowRange(0, int.MaxValue)).Intersect(set));
    }

    /// <summary>The rows agree, and the ranges are sorted, disjoint, not adjacent and not empty.</summary>
    static void Agree(RowSet set, HashSet<int> model)
    {
        var rows = set.Ranges.SelectMany(r => Enumerable.Range(r.Start, r.Count)).ToList();
        Assert.Equal(model.Order(), rows);
        Assert.Equal(model.Count, set.Count);
        Assert.Equal(model.Count == 0, set.IsEmpty);
        Assert.All(set.Ranges, r => Assert.False(r.IsEmpty));
        Assert.All(
            set.Ranges.Zip(set.Ranges.Skip(1)), pair => Assert.True(pair.First.End < pair.Second.Start, $"{set} has adjacent ranges"));
    }

    static HashSet<int> Model(RowRange[] ranges) => [.. ranges.SelectMany(r => Enumerable.Range(r.Start, r.Count))];
}

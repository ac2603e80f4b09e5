using System.Collections.Immutable;

namespace Taba.Grains.Stages;

/// <summary>Rows that failed for one kind of reason.</summary>
[GenerateSerializer, Immutable, Alias("taba.FailedRows")]
public sealed record FailedRows(FailureKind Kind, RowSet Rows);

/// <summary>Failed rows by kind, and a few of them in words. What they take follows gaps and kinds, not samples.</summary>
public static class Failures
{
    /// <summary>The most that are kept in words: each has another reason, and they are the first of those.</summary>
    public const int MostReasons = 16;

    /// <summary>The failed rows of a list.</summary>
    public static ImmutableArray<FailedRows> Of(IEnumerable<SampleFailure> failures) =>
    [
        .. failures.GroupBy(f => f.Kind).OrderBy(g => g.Key)
            .Select(g => new FailedRows(g.Key, RowSet.Of([.. g.Select(f => new RowRange(f.Sample, f.Sample + 1))]))),
    ];

    /// <summary>All rows.</summary>
    public static RowSet Rows(this ImmutableArray<FailedRows> failed) =>
        failed.Aggregate(RowSet.Empty, (rows, kind) => rows.Union(kind.Rows));

    /// <summary>The rows of one kind.</summary>
    public static RowSet Rows(this ImmutableArray<FailedRows> failed, FailureKind kind) =>
        failed.FirstOrDefault(f => f.Kind == kind)?.Rows ?? RowSet.Empty;

    /// <summary>Those of the rows that are among others.</summary>
    public static ImmutableArray<FailedRows> Among(this ImmutableArray<FailedRows> failed, RowSet rows) =>
        [.. failed.Select(f => f with { Rows = f.Rows.Intersect(rows) }).Where(f => !f.Rows.IsEmpty)];

    /// <summary>Those of the rows that are not among others.</summary>
    public static ImmutableArray<FailedRows> Without(this ImmutableArray<FailedRows> failed, RowSet rows) =>
        [.. failed.Select(f => f with { Rows = f.Rows.Subtract(rows) }).Where(f => !f.Rows.IsEmpty)];

    /// <summary>Both together.</summary>
    public static ImmutableArray<FailedRows> With(this ImmutableArray<FailedRows> failed, ImmutableArray<FailedRows> more) =>
    [
        .. failed.Concat(more).GroupBy(f => f.Kind).OrderBy(g => g.Key)
            .Select(g => new FailedRows(g.Key, g.Aggregate(RowSet.Empty, (rows, f) => rows.Union(f.Rows)))),
    ];

    /// <summary>Adds failures in words, as long as they say something new.</summary>
    public static ImmutableArray<SampleFailure> WithReasons(this ImmutableArray<SampleFailure> known, IEnumerable<SampleFailure> more) =>
        [.. known.Concat(more).DistinctBy(f => (f.Kind, f.Reason)).Take(MostReasons)];

    /// <summary>
    /// The words that concern some rows: those of the rows themselves, and where a kind has none, those of others that failed so.
    /// </summary>
    public static ImmutableArray<SampleFailure> About(this ImmutableArray<SampleFailure> known, ImmutableArray<FailedRows> failed)
    {
        var own = known.RemoveAll(f => !failed.Rows(f.Kind).Contains(new(f.Sample, f.Sample + 1)));
        var silent = failed.Where(k => own.All(f => f.Kind != k.Kind)).Select(k => k.Kind).ToHashSet();
        return silent.Count == 0 ? own : own.AddRange(known.Where(f => silent.Contains(f.Kind)));
    }
}

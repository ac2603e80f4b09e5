using System.Collections.Immutable;

namespace Taba.Storage.Manifests;

/// <summary>The rows that a stage's manifests add up to.</summary>
public static class PublishedRows
{
    /// <summary>Rows published with at least <paramref name="keep"/> kept.</summary>
    public static async Task<RowSet> PublishedAsync(
        this TensorStore store, string stageKey, RowRange rows, CaptureSelection keep, CancellationToken cancellationToken) =>
        Sum(await store.ListAsync(stageKey, rows, cancellationToken)).Where(p => p.Kept.Covers(keep))
            .Aggregate(RowSet.Empty, (all, p) => all.Union(p.Rows)).Intersect(rows);

    /// <summary>Rows by what was kept with them. A supplement counts only with the result that it adds to.</summary>
    public static ImmutableArray<KeptRows> Sum(ImmutableArray<PartManifest> manifests)
    {
        var rows = new Dictionary<CaptureSelection, RowSet>();
        var results = RowSet.Of([.. manifests.Where(m => !m.Supplement).Select(m => m.Rows)]);
        foreach (var manifest in manifests)
        {
            var published = manifest.Supplement ? results.Intersect(manifest.Rows) : RowSet.Of(manifest.Rows);
            rows[manifest.Kept] = rows.GetValueOrDefault(manifest.Kept, RowSet.Empty).Union(published);
        }
        return [.. rows.Select(p => new KeptRows(p.Key, p.Value))];
    }
}

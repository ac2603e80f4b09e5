using System.Collections.Immutable;
using Taba.Grains.Stages;

namespace Taba.Silo.Storage;

/// <summary>The rows that a stage's manifests add up to.</summary>
public static class PublishedRows
{
    /// <summary>Rows published with at least <paramref name="keep"/> kept.</summary>
    public static async Task<RowSet> PublishedAsync(
        this ITensorStore store, string stageKey, CaptureSelection keep, CancellationToken cancellationToken) =>
        new StageState { Published = Sum(await store.ListAsync(stageKey, cancellationToken)) }.Published(keep);

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

using System.Collections.Immutable;
using Taba.Grains.Ports;
using Taba.Grains.Stages;
using Taba.Silo.Storage;

namespace Taba.Silo.Workers;

/// <summary>Adds up a stage's manifests.</summary>
sealed class PartCatalogue(ITensorStore store) : IPartCatalogue
{
    public async Task<ImmutableArray<KeptRows>> GetPublishedAsync(string stageKey, CancellationToken cancellationToken) =>
        Sum(await store.ListAsync(stageKey, cancellationToken));

    /// <summary>Rows by what was kept with them. A supplement counts only with the result that it adds to.</summary>
    public static ImmutableArray<KeptRows> Sum(IEnumerable<PartManifest> manifests)
    {
        var rows = new Dictionary<CaptureSelection, RowSet>();
        var all = manifests.ToList();
        var results = RowSet.Of([.. all.Where(m => !m.Supplement).Select(m => m.Rows)]);
        foreach (var manifest in all)
        {
            var published = manifest.Supplement ? results.Intersect(manifest.Rows) : RowSet.Of(manifest.Rows);
            rows[manifest.Kept] = rows.GetValueOrDefault(manifest.Kept, RowSet.Empty).Union(published);
        }
        return [.. rows.Select(p => new KeptRows(p.Key, p.Value))];
    }
}

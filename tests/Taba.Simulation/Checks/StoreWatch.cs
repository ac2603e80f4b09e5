using System.Collections.Immutable;
using System.Security.Cryptography;
using Taba.Simulation.Cluster;
using Taba.Simulation.Work;
using Taba.Storage.Manifests;

namespace Taba.Simulation.Checks;

/// <summary>Watches the store: each version of each cell as it comes, each object as it goes.</summary>
sealed class StoreWatch
{
    readonly SimCluster _cluster;
    readonly Dictionary<(string Key, int Start), CellDocument> _cells = [];
    readonly HashSet<(string Key, int Start)> _damagedCells = [];

    public StoreWatch(SimCluster cluster)
    {
        _cluster = cluster;
        cluster.Objects.Came += Came;
        cluster.Objects.Goes += Goes;
    }

    /// <summary>The cells as they are now.</summary>
    public IReadOnlyDictionary<(string Key, int Start), CellDocument> Cells => _cells;

    /// <summary>A version of a cell is damaged: what it alone said may be forgotten.</summary>
    public void CellDamaged(string stageKey, int start) => _damagedCells.Add((stageKey, start));

    /// <summary>Rows of a stage that are published with at least so much kept, and whose objects are sound.</summary>
    public RowSet Published(string stageKey, CaptureSelection keep)
    {
        var manifests = _cells.Where(c => c.Key.Key == stageKey).SelectMany(c => c.Value.Manifests).ToImmutableArray();
        return PublishedRows.Sum(manifests).Where(p => p.Kept.Covers(keep)).Aggregate(RowSet.Empty, (all, p) => all.Union(p.Rows));
    }

    /// <summary>Every object that counts is there and is what it should be.</summary>
    public void RequireAllSound()
    {
        foreach (var manifest in _cells.Values.SelectMany(c => c.Manifests))
            RequireSound(manifest);
    }

    void Came(string name, byte[] bytes)
    {
        if (!name.Contains("/cells/", StringComparison.Ordinal))
            return;
        var key = name.Split('/')[1];
        if (!StoreNames.TryParseVersion(key, name, out var start, out _))
            return;
        CellDocument next;
        try
        {
            // It refuses two manifests for the same rows.
            next = CellDocument.Parse(key, start, bytes);
        }
        catch (DamagedDocumentException exception)
        {
            _cluster.World.Break("a cell is sound when it is written", $"{name}: {exception.Message}");
            return;
        }
        var before = _cells.GetValueOrDefault((key, start), CellDocument.Empty);
        _cells[(key, start)] = next;
        foreach (var manifest in next.Manifests.Where(m => !before.Manifests.Any(b => b.Attempt == m.Attempt && b.Rows == m.Rows)))
        {
            _cluster.World.Note("cell has", null, _cluster.World.Trace.Records ? $"{key} {manifest.Rows} by {manifest.Attempt}" : "");
            RequireSound(manifest);
        }
        if (_damagedCells.Contains((key, start)))
            return;
        foreach (var gone in before.Manifests.Where(b => !next.Manifests.Any(m => m.Attempt == b.Attempt && m.Rows == b.Rows)))
        {
            if (!next.Void.Any(v => v.Attempt == gone.Attempt) || !gone.Objects.Any(o => _cluster.Facts.Damaged.Contains(o.Path)))
                _cluster.World.Break("what is published stays published", $"rows {gone.Rows} of {key} left their cell");
        }
    }

    void Goes(string name)
    {
        if (!name.Contains("/objects/", StringComparison.Ordinal))
            return;
        var named = _cells.Values.SelectMany(c => c.Manifests).FirstOrDefault(m => m.Objects.Any(o => o.Path == name));
        if (named is not null && !_damagedCells.Contains((named.StageKey, CellGrid.StartOf(named.RowStart))))
            _cluster.World.Break("an object that a cell names is not deleted", name);
    }

    void RequireSound(PartManifest manifest)
    {
        foreach (var entry in manifest.Objects.Where(o => !_cluster.Facts.Damaged.Contains(o.Path)))
        {
            if (_cluster.Objects.Find(entry.Path) is not { } bytes)
                _cluster.World.Break("an object that a cell names is there", entry.Path);
            else if (Convert.ToHexStringLower(SHA256.HashData(bytes)) != entry.Sha256)
                _cluster.World.Break("an object has its digest", entry.Path);
            else if (!bytes.AsSpan().SequenceEqual(Expected(manifest, entry)))
                _cluster.World.Break("what is published is right", $"{entry.Name} of rows {manifest.Rows} of {manifest.StageKey}");
        }
    }

    byte[] Expected(PartManifest manifest, ObjectEntry entry)
    {
        var key = manifest.StageKey;
        return entry.Kind == TensorKinds.None
            ? Numbers.Results(key, manifest.Rows, _cluster.Facts.StepsOf(key))
            :
            [
                .. entry.Steps.SelectMany(step => Enumerable.Range(manifest.RowStart, manifest.Rows.Count).SelectMany(
                    row => Numbers.Kept(key, row, step, entry.Kind))),
            ];
    }
}

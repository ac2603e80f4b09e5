using System.Collections.Immutable;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Storage;

public sealed partial class BlobTensorStore
{
    /// <summary>More rows are listed, fewer are asked for cell by cell.</summary>
    const int MostCellsAskedFor = 32;

    /// <summary>
    /// Publishes a manifest. False when one of its rows already has a manifest (for a supplement: one that keeps the same). The same
    /// manifest again is published already: true.
    /// </summary>
    /// <exception cref="StoreException">An object was not put, or the account failed; then the same call may be made again.</exception>
    public Task<bool> PublishAsync(PartManifest manifest, CancellationToken cancellationToken)
    {
        if (ManifestReader.Fault(_paths, manifest.StageKey, StorePaths.ManifestName(manifest), manifest) is { } fault)
            throw new ArgumentException(
                $"The manifest of rows {manifest.Rows} of stage {manifest.StageKey} cannot be published: {fault}.", nameof(manifest));
        var start = BlobCells.StartOf(manifest.RowStart);
        if (!BlobCells.IsInCell(manifest.Rows, start))
            throw new ArgumentException(
                $"The manifest of rows {manifest.Rows} of stage {manifest.StageKey} cannot be published: a part must not reach over row "
                + $"{start + BlobCells.Rows}.", nameof(manifest));
        return SiloInstruments.StoreAsync(
            "publish", () => Task.Run(() => PublishAsync(manifest, start, cancellationToken), cancellationToken));
    }

    public Task<ImmutableArray<PartManifest>> ListAsync(string stageKey, CancellationToken cancellationToken) =>
        SiloInstruments.StoreAsync("list", () => Task.Run(async () =>
        (ImmutableArray<PartManifest>)[.. (await _cells.ListAsync(stageKey, cancellationToken)).SelectMany(c => c.Manifests)],
        cancellationToken));

    public Task<ImmutableArray<PartManifest>> ListAsync(string stageKey, RowRange rows, CancellationToken cancellationToken) =>
        Task.Run(async () =>
    {
        ImmutableArray<PartManifest> manifests;
        if (rows.Count / BlobCells.Rows < MostCellsAskedFor)
        {
            var cells = await Task.WhenAll(CellsOf(rows).Select(start => _cells.ReadAsync(stageKey, start, cancellationToken)));
            manifests = [.. cells.SelectMany(c => c.Manifests)];
        }
        else
            manifests = await ListAsync(stageKey, cancellationToken);
        return manifests.RemoveAll(m => m.Rows.Intersect(rows).IsEmpty);
    }, cancellationToken);

    async Task<bool> PublishAsync(PartManifest manifest, int start, CancellationToken cancellationToken)
    {
        foreach (var entry in manifest.Objects)
        {
            if (!await _objects.ExistsAsync(entry.Path, cancellationToken))
                throw new StoreException(
                    $"rows {manifest.Rows} of stage {manifest.StageKey} cannot be published: the object {entry.Path} is not in the "
                    + $"store {BlobErrors.Where(_container)}");
        }
        var where = BlobErrors.Where(_container, StorePaths.CellPath(manifest.StageKey, start));
        while (true)
        {
            var cell = await _cells.ReadAsync(manifest.StageKey, start, cancellationToken);
            var rivals = cell.Manifests.Where(
                m => StorePaths.KeptDigest(m) == StorePaths.KeptDigest(manifest) && !m.Rows.Intersect(manifest.Rows).IsEmpty).ToList();
            if (rivals.Count > 0)
                return rivals.Any(m => m.Attempt == manifest.Attempt && m.Rows == manifest.Rows);
            // Until the answer is there the outcome is not known.
            _uncertain[manifest.Attempt] = true;
            var stored = await BlobErrors.GuardAsync(
                "publish", where, () => _cells.TryWriteAsync(cell, cell.Manifests.Add(manifest), cancellationToken), cancellationToken);
            if (stored)
            {
                _uncertain.TryRemove(manifest.Attempt, out _);
                Disk("delete", _paths.Scratch, () => DurableFile.DeleteIfEmpty(
                    _paths.ScratchOf(new(manifest.StageKey, manifest.RowStart, manifest.Epoch, manifest.Attempt))));
                return true;
            }
            // Another one was quicker with rows of the same cell, or the answer to an earlier request of ours was lost.
        }
    }
}

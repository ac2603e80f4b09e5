using System.Collections.Immutable;
using Taba.Grains.Stages;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Storage;

public sealed partial class FolderTensorStore
{
    /// <summary>
    /// Publishes a manifest. False when one of its rows already has a manifest (for a supplement: one that keeps the same); the
    /// same manifest again is published already: true. Two attempts at the same rows meet at the link; attempts at rows that
    /// merely overlap (a failed sample splits a part) meet at the stage's lock.
    /// </summary>
    public Task<bool> PublishAsync(PartManifest manifest, CancellationToken cancellationToken)
    {
        var parts = _paths.PartsGroup(manifest.StageKey, manifest.RowStart);
        var target = Path.Combine(parts, StorePaths.ManifestName(manifest));
        if (ManifestReader.Fault(_paths, manifest.StageKey, target, manifest) is { } fault)
            throw new ArgumentException(
                $"The manifest of rows {manifest.Rows} of stage {manifest.StageKey} cannot be published: {fault}.", nameof(manifest));
        return SiloInstruments.StoreAsync(
            "publish", () => Task.Run(() => Guard("publish", target, () => Publish(manifest, parts, target)), cancellationToken));
    }

    public Task<ImmutableArray<PartManifest>> ListAsync(string stageKey, CancellationToken cancellationToken) =>
        SiloInstruments.StoreAsync("list", () => ReadManifestsAsync(stageKey, () => ManifestFiles(stageKey), cancellationToken));

    public Task<ImmutableArray<PartManifest>> ListAsync(string stageKey, RowRange rows, CancellationToken cancellationToken) =>
        SiloInstruments.StoreAsync("list", () => ReadManifestsAsync(
            stageKey, () => [.. Candidates(ManifestFiles(stageKey, rows), rows)], cancellationToken, rows));

    public void DeleteAttempt(PartAttempt attempt)
    {
        var objects = _paths.ObjectsOf(attempt);
        var scratch = _paths.ScratchOf(attempt);
        Guard("delete", objects, () =>
        {
            if (Directory.Exists(scratch))
                Directory.Delete(scratch, recursive: true);
            if (!Directory.Exists(objects))
                return;
            using var gate = EnterStage(attempt.StageKey);
            // Some of an attempt's manifests may have won and others lost: objects that a manifest names stay.
            var reach = new RowRange(attempt.RowStart, checked(attempt.RowStart + PartGrid.MaxRows));
            var named = Candidates(ManifestFiles(attempt.StageKey, reach), reach)
                .Select(f => ManifestReader.Read(_paths, attempt.StageKey, f.Path))
                .SelectMany(m => m.Objects)
                .Select(o => _paths.Resolve(o.Path)!)
                .ToHashSet();
            DeleteUnnamed(objects, named);
        });
    }

    bool Publish(PartManifest manifest, string parts, string target)
    {
        DurableFile.CreateDirectory(parts);
        var temporary = Path.Combine(parts, $".{Path.GetFileName(target)}.{manifest.Attempt:N}.{Guid.NewGuid():N}.tmp");
        try
        {
            DurableFile.Write(temporary, StoreJson.Write(manifest));
            using var gate = EnterStage(manifest.StageKey);
            if (manifest.Objects.FirstOrDefault(o => !File.Exists(_paths.Resolve(o.Path))) is { } missing)
                throw new StoreException(
                    $"rows {manifest.Rows} of stage {manifest.StageKey} cannot be published: the object {missing.Path} is not in the "
                    + $"store {Root}");
            if (Rival(manifest) is { } rival)
                return rival.Attempt == manifest.Attempt && rival.Rows == manifest.Rows;
            if (!Posix.TryLink(temporary, target))
                return false;
            Posix.FlushDirectory(parts);
            DurableFile.DeleteIfEmpty(_paths.ScratchOf(new(manifest.StageKey, manifest.RowStart, manifest.Epoch, manifest.Attempt)));
            return true;
        }
        finally
        {
            DurableFile.DeleteIfThere(temporary);
        }
    }

    /// <summary>A manifest that holds some of the same rows in the same way.</summary>
    PartManifest? Rival(PartManifest manifest)
    {
        var kept = StorePaths.KeptDigest(manifest);
        return Candidates(ManifestFiles(manifest.StageKey, manifest.Rows).Where(f => f.Kept == kept), manifest.Rows)
            .Select(f => ManifestReader.Read(_paths, manifest.StageKey, f.Path))
            .FirstOrDefault(m => !m.Rows.Intersect(manifest.Rows).IsEmpty);
    }

    /// <summary>
    /// The files whose rows may meet a range: those that begin in it, and of those before it the last of each kind, because
    /// manifests of one kind do not overlap.
    /// </summary>
    static IEnumerable<ManifestFile> Candidates(IEnumerable<ManifestFile> sorted, RowRange rows)
    {
        var before = new Dictionary<string, ManifestFile>();
        var within = new List<ManifestFile>();
        foreach (var file in sorted)
        {
            if (file.RowStart < rows.Start)
                before[file.Kept] = file;
            else if (file.RowStart < rows.End)
                within.Add(file);
        }
        return before.Values.OrderBy(f => f.RowStart).Concat(within);
    }

    Task<ImmutableArray<PartManifest>> ReadManifestsAsync(
        string stageKey, Func<ImmutableArray<ManifestFile>> files, CancellationToken cancellationToken, RowRange? rows = null) =>
        Task.Run(() => Guard("read", _paths.Parts(stageKey), () =>
        {
            var manifests = ImmutableArray.CreateBuilder<PartManifest>();
            foreach (var file in files())
            {
                cancellationToken.ThrowIfCancellationRequested();
                var manifest = ManifestReader.Read(_paths, stageKey, file.Path);
                if (rows is not { } wanted || !manifest.Rows.Intersect(wanted).IsEmpty)
                    manifests.Add(manifest);
            }
            return manifests.ToImmutable();
        }), cancellationToken);

    /// <summary>One publisher, or one cleaner, of a stage at a time, on this machine and wherever the file system carries locks.</summary>
    FileGate EnterStage(string stageKey) => FileGate.Enter(_paths.StageLock(stageKey));

    static int DeleteUnnamed(string folder, HashSet<string> named)
    {
        var deleted = 0;
        foreach (var file in Directory.EnumerateFiles(folder).Where(f => !named.Contains(f)).ToList())
        {
            File.Delete(file);
            deleted++;
        }
        if (!Directory.EnumerateFileSystemEntries(folder).Any())
            Directory.Delete(folder);
        return deleted;
    }
}

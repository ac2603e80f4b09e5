using System.Collections.Immutable;
using System.Text.Json;
using Taba.Grains.Stages;

namespace Taba.Silo.Storage;

public sealed partial class FolderTensorStore
{
    public Task<ImmutableArray<StoredStage>> ListStagesAsync(CancellationToken cancellationToken) =>
        Task.Run(() => Guard("read", _paths.Stages, () =>
        {
            var stages = ImmutableArray.CreateBuilder<StoredStage>();
            foreach (var key in StageKeys())
            {
                cancellationToken.ThrowIfCancellationRequested();
                stages.Add(Describe(key));
            }
            return stages.ToImmutable();
        }), cancellationToken);

    public Task<bool> HasStageAsync(string stageKey, CancellationToken cancellationToken)
    {
        var folder = _paths.Stage(stageKey);
        return Task.Run(() => Directory.Exists(folder), cancellationToken);
    }

    public Task RemoveStageAsync(string stageKey, CancellationToken cancellationToken)
    {
        var folder = _paths.Stage(stageKey);
        return Task.Run(() => Guard("delete", folder, () =>
        {
            if (!Directory.Exists(folder))
                return;
            // One rename takes the whole stage away; a crash afterwards leaves scratch, which the next start sweeps.
            var doomed = Path.Combine(_paths.Scratch, $"removed-{stageKey}-{Guid.NewGuid():N}");
            Directory.Move(folder, doomed);
            Posix.FlushDirectory(_paths.Stages);
            Directory.Delete(doomed, recursive: true);
        }), cancellationToken);
    }

    /// <summary>
    /// Removes the stages that no run folder needs. The caller holds the <see cref="StoreLock"/>.
    /// </summary>
    /// <param name="keepStages">Keys that some run folder's manifest names.</param>
    /// <param name="dryRun">Only say what would go.</param>
    /// <param name="cancellationToken">Stops between two stages.</param>
    /// <returns>What was removed.</returns>
    public async Task<ImmutableArray<StoredStage>> PruneAsync(
        IReadOnlySet<string> keepStages, bool dryRun, CancellationToken cancellationToken)
    {
        var stages = await ListStagesAsync(cancellationToken);
        var doomed = stages.RemoveAll(s => keepStages.Contains(s.Key));
        if (!dryRun)
        {
            foreach (var stage in doomed)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await RemoveStageAsync(stage.Key, cancellationToken);
            }
        }
        return doomed;
    }

    /// <summary>
    /// Deletes what crashes left behind: scratch, half-written manifests, and objects that no manifest names. Only while the
    /// <see cref="StoreLock"/> is held, because the objects of a living attempt have no manifest yet. A stage with a damaged
    /// manifest is left alone.
    /// </summary>
    /// <returns>The number of files deleted.</returns>
    public int SweepOrphans() => Guard("sweep", Root, () =>
    {
        var deleted = 0;
        foreach (var file in Directory.GetFiles(Root, "*.tmp*"))
        {
            File.Delete(file);
            deleted++;
        }
        foreach (var folder in Directory.EnumerateDirectories(_paths.Scratch).ToList())
        {
            deleted += Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Count();
            Directory.Delete(folder, recursive: true);
        }
        foreach (var key in StageKeys())
            deleted += SweepStage(key);
        return deleted;
    });

    int SweepStage(string key)
    {
        var deleted = 0;
        var parts = _paths.Parts(key);
        string[] folders = Directory.Exists(parts) ? [_paths.Stage(key), .. Directory.EnumerateDirectories(parts)] : [_paths.Stage(key)];
        foreach (var folder in folders)
        {
            foreach (var file in Directory.EnumerateFiles(folder, "*.tmp").ToList())
            {
                File.Delete(file);
                deleted++;
            }
        }
        var objects = _paths.Objects(key);
        if (!Directory.Exists(objects))
            return deleted;
        HashSet<string> named;
        try
        {
            named = [.. ManifestFiles(key).SelectMany(f => ManifestReader.Read(_paths, key, f.Path).Objects).Select(o => _paths.Resolve(o.Path)!)];
        }
        catch (StoreException)
        {
            return deleted;
        }
        foreach (var folder in Directory.EnumerateDirectories(objects).ToList())
            deleted += DeleteUnnamed(folder, named);
        return deleted;
    }

    StoredStage Describe(string key)
    {
        var rows = RowSet.Empty;
        foreach (var file in ManifestFiles(key))
            rows = rows.Add(ManifestReader.Read(_paths, key, file.Path).Rows);
        var bytes = 0L;
        var lastWrite = DateTimeOffset.MinValue;
        foreach (var file in new DirectoryInfo(_paths.Stage(key)).EnumerateFiles("*", SearchOption.AllDirectories))
        {
            bytes += file.Length;
            if (file.LastWriteTimeUtc > lastWrite)
                lastWrite = file.LastWriteTimeUtc;
        }
        return new(key, ReadDescription(key), rows, bytes, lastWrite);
    }

    string? ReadDescription(string key)
    {
        var file = _paths.StageDescription(key);
        try
        {
            if (!File.Exists(file) || new FileInfo(file).Length > ManifestReader.MaxBytes)
                return null;
            var description = StoreJson.Read<StageFields>(File.ReadAllBytes(file));
            return string.Join(", ", description.Fields.Select(f => $"{f.Key}={f.Value}"));
        }
        catch (JsonException)
        {
            // The description is for people: a damaged one must not hide the stage.
            return null;
        }
    }

    /// <summary>Keys of the stages in the store.</summary>
    public IReadOnlyList<string> StageKeys() =>
        [.. Directory.EnumerateDirectories(_paths.Stages).Select(d => Path.GetFileName(d)).Where(StorePaths.IsKey).Order(StringComparer.Ordinal)];
}

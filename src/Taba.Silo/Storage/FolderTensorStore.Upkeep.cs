using System.Collections.Immutable;
using System.Text.Json;

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
            // A new folder is young, so nobody sweeps it meanwhile.
            Directory.CreateDirectory(doomed);
            Directory.Move(folder, Path.Combine(doomed, stageKey));
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
    /// Deletes what crashes left behind, however young. Only while the <see cref="StoreLock"/> is held: then no attempt lives.
    /// </summary>
    /// <returns>The number of files deleted.</returns>
    public int SweepOrphans() => SweepOrphans(DateTime.MaxValue, CancellationToken.None);

    public Task<int> SweepOrphansAsync(DateTimeOffset writtenBefore, CancellationToken cancellationToken) =>
        Task.Run(() => SweepOrphans(writtenBefore.UtcDateTime, cancellationToken), cancellationToken);

    int SweepOrphans(DateTime writtenBefore, CancellationToken cancellationToken) => Guard("sweep", Root, () =>
    {
        var deleted = DeleteOld(Root, "*.tmp*", writtenBefore);
        foreach (var folder in Directory.GetDirectories(_paths.Scratch))
            deleted += SkipGone(() => DeleteScratch(folder, writtenBefore));
        foreach (var key in StageKeys())
        {
            cancellationToken.ThrowIfCancellationRequested();
            deleted += SkipGone(() => SweepStage(key, writtenBefore));
        }
        return deleted;
    });

    static int DeleteScratch(string folder, DateTime writtenBefore)
    {
        if (LastWrite(folder) >= writtenBefore)
            return 0;
        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Length;
        Directory.Delete(folder, recursive: true);
        return files;
    }

    int SweepStage(string key, DateTime writtenBefore)
    {
        var deleted = DeleteOld(_paths.Stage(key), "*.tmp", writtenBefore);
        var parts = _paths.Parts(key);
        if (Directory.Exists(parts))
            deleted += Directory.GetDirectories(parts).Sum(group => DeleteOld(group, "*.tmp", writtenBefore));
        var objects = _paths.Objects(key);
        if (!Directory.Exists(objects))
            return deleted;
        try
        {
            var named = Named(key);
            var left = Directory.GetDirectories(objects)
                .Where(f => LastWrite(f) < writtenBefore
                    && Directory.EnumerateFiles(f).DefaultIfEmpty(f).Any(file => !named.Contains(file))).ToList();
            if (left.Count == 0)
                return deleted;
            // Read again while publishers wait: a manifest may name them since.
            using var gate = EnterStage(key);
            named = Named(key);
            return deleted + left.Sum(f => DeleteUnnamed(f, named));
        }
        catch (StoreException)
        {
            return deleted;
        }
    }

    /// <summary>The files that a stage's manifests name.</summary>
    HashSet<string> Named(string key) =>
        [.. ManifestFiles(key).SelectMany(f => ManifestReader.Read(_paths, key, f.Path).Objects).Select(o => _paths.Resolve(o.Path)!)];

    static int DeleteOld(string folder, string pattern, DateTime writtenBefore)
    {
        var old = Directory.GetFiles(folder, pattern).Where(f => File.GetLastWriteTimeUtc(f) < writtenBefore).ToList();
        old.ForEach(File.Delete);
        return old.Count;
    }

    /// <summary>When something in a folder was last written, or a name came or went.</summary>
    static DateTime LastWrite(string folder) =>
        new DirectoryInfo(folder).EnumerateFileSystemInfos("*", SearchOption.AllDirectories).Select(i => i.LastWriteTimeUtc)
            .Append(Directory.GetLastWriteTimeUtc(folder)).Max();

    /// <summary>Takes a folder that goes away meanwhile (an attempt that ends, a stage that is removed) for swept.</summary>
    static int SkipGone(Func<int> sweep)
    {
        try
        {
            return sweep();
        }
        catch (Exception exception) when (exception is DirectoryNotFoundException or FileNotFoundException)
        {
            return 0;
        }
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
        [.. Directory.EnumerateDirectories(_paths.Stages).Select(d => Path.GetFileName(d)).Where(StorePaths.IsKey).Order(
            StringComparer.Ordinal)];
}

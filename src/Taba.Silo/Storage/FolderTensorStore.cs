using System.Collections.Immutable;
using Taba.Grains.Stages;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Storage;

/// <summary>
/// A tensor store in a folder. An attempt writes its objects under names of its own; the hard link that gives a manifest its
/// name is the commit point. docs/design/storage.md has the layout and what a crash leaves behind at each step.
/// </summary>
public sealed partial class FolderTensorStore : ITensorStore
{
    /// <summary>Beyond this many groups all are read.</summary>
    const int FewGroups = 16;

    readonly StorePaths _paths;

    /// <param name="root">The store's folder, <c>.taba</c> under the output root; created when it is not there.</param>
    /// <exception cref="StoreException">The folder cannot be created.</exception>
    public FolderTensorStore(string root)
    {
        _paths = new(root);
        Guard("create", _paths.Root, () =>
        {
            DurableFile.CreateDirectory(_paths.Stages);
            DurableFile.CreateDirectory(_paths.Scratch);
        });
    }

    FolderTensorStore(StorePaths paths) => _paths = paths;

    /// <summary>A store to be read; null where there is none. Creates nothing.</summary>
    public static FolderTensorStore? Existing(string root)
    {
        var paths = new StorePaths(root);
        return Directory.Exists(paths.Stages) ? new(paths) : null;
    }

    /// <summary>The store's folder.</summary>
    public string Root => _paths.Root;

    public string ScratchPath(PartAttempt attempt, string objectName)
    {
        var folder = _paths.ScratchOf(attempt);
        Guard("create", folder, () => Directory.CreateDirectory(folder));
        return Path.Combine(folder, StorePaths.ObjectFile(objectName));
    }

    public string? LocalPath(string objectPath) => _paths.Resolve(objectPath);

    public Task<string> PutAsync(PartAttempt attempt, string objectName, CancellationToken cancellationToken)
    {
        var name = StorePaths.ObjectFile(objectName);
        var scratch = Path.Combine(_paths.ScratchOf(attempt), name);
        var target = Path.Combine(_paths.ObjectsOf(attempt), name);
        return SiloInstruments.StoreAsync("put", () => Task.Run(() =>
        {
            Guard("write", target, () =>
            {
                if (!File.Exists(scratch))
                {
                    // An earlier try got as far as the rename.
                    if (File.Exists(target))
                        return;
                    throw new StoreException($"the scratch file {scratch} is gone: run the same command again");
                }
                DurableFile.Flush(scratch);
                var folder = Path.GetDirectoryName(target)!;
                DurableFile.CreateDirectory(folder);
                File.Move(scratch, target, overwrite: true);
                Posix.FlushDirectory(folder);
            });
            return StorePaths.ObjectPath(attempt, objectName);
        }, cancellationToken));
    }

    public IObjectReader Open(string objectPath)
    {
        var file = _paths.Resolve(objectPath)
            ?? throw new StoreException(
                $"'{objectPath}' is not a path of an object in the store {Root}: the manifest that names it is damaged; delete it");
        try
        {
            if (new FileInfo(file).LinkTarget is not null || new FileInfo(Path.GetDirectoryName(file)!).LinkTarget is not null)
                throw new StoreException(
                    $"the object {file} is a symbolic link, which may lead out of the store; put the file itself there");
            return new FileObjectReader(file);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new StoreException(
                $"the object {file} is gone; delete the manifest that names it in "
                + $"{Path.Combine(Root, "store", objectPath.Split('/')[1], "parts")}"
                + " and run the same command: its rows are computed again", exception);
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw DiskErrors.Wrap(exception, "read", file);
        }
    }

    public Task DescribeStageAsync(string stageKey, StageSpec spec, CancellationToken cancellationToken)
    {
        var file = _paths.StageDescription(stageKey);
        return Task.Run(() => Guard("write", file, () =>
        {
            if (File.Exists(file))
                return;
            DurableFile.CreateDirectory(_paths.Stage(stageKey));
            var fields = StageKey.Fields(spec).ToDictionary(f => f.Name, f => f.Value);
            DurableFile.Replace(file, StoreJson.Write(new StageDescription(stageKey, fields, spec)));
        }), cancellationToken);
    }

    /// <summary>Manifest files of a stage, by row; primary ones before supplements of the same row.</summary>
    ImmutableArray<ManifestFile> ManifestFiles(string stageKey)
    {
        var parts = _paths.Parts(stageKey);
        return Directory.Exists(parts) ? ManifestFiles(Directory.EnumerateDirectories(parts)) : [];
    }

    /// <summary>Those of the groups that hold a range: a manifest's rows lie in one group.</summary>
    ImmutableArray<ManifestFile> ManifestFiles(string stageKey, RowRange rows)
    {
        if (rows.Count > FewGroups * StorePaths.GroupRows)
            return ManifestFiles(stageKey);
        var groups = new List<string>();
        for (long row = rows.Start / StorePaths.GroupRows * StorePaths.GroupRows; row < rows.End; row += StorePaths.GroupRows)
            groups.Add(_paths.PartsGroup(stageKey, (int)row));
        return ManifestFiles(groups.Where(Directory.Exists));
    }

    static ImmutableArray<ManifestFile> ManifestFiles(IEnumerable<string> groups)
    {
        var files = ImmutableArray.CreateBuilder<ManifestFile>();
        foreach (var path in groups.SelectMany(group => Directory.EnumerateFiles(group, "*.json")))
        {
            if (StorePaths.TryParseManifestName(Path.GetFileName(path), out var rowStart, out var kept))
                files.Add(new(path, rowStart, kept));
        }
        files.Sort((a, b) => a.RowStart != b.RowStart ? a.RowStart.CompareTo(b.RowStart) : string.CompareOrdinal(a.Kept, b.Kept));
        return files.ToImmutable();
    }

    static void Guard(string what, string path, Action action)
    {
        try
        {
            action();
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw DiskErrors.Wrap(exception, what, path);
        }
    }

    static T Guard<T>(string what, string path, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw DiskErrors.Wrap(exception, what, path);
        }
    }

    /// <param name="Kept">Digest of what a supplement keeps; empty for a primary manifest.</param>
    readonly record struct ManifestFile(string Path, int RowStart, string Kept);
}

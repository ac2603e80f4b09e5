using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Taba.Storage.Objects;

/// <summary>
/// Objects in a folder. A hard link that gives a finished file its name is the exclusive creation: it fails when the name is taken, also on
/// NFS, and needs no lock. A file is on the disk before it has its name, and the name is on the disk when the call returns.
/// </summary>
public sealed partial class FolderObjects : IObjectStore
{
    const int FolderAttempts = 5;

    readonly string _root;

    /// <param name="root">The folder; it need not be there.</param>
    /// <param name="scratch">A folder on the same file system; <c>scratch</c> in this one when null.</param>
    public FolderObjects(string root, string? scratch = null)
    {
        _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        Scratch = scratch ?? Path.Combine(_root, "scratch");
    }

    public string Place => _root;

    public string Scratch { get; }

    public string Where(string name) => name.Length == 0 ? _root : Path.Combine(_root, name.Replace('/', Path.DirectorySeparatorChar));

    public string? LocalPath(string name) => Of(name);

    public Task PutAsync(string name, string file, CancellationToken cancellationToken) => Run("write", name, path =>
    {
        DurableFile.Flush(file);
        var folder = Path.GetDirectoryName(path)!;
        DurableFile.CreateDirectory(folder);
        File.Move(file, path, overwrite: true);
        Posix.FlushDirectory(folder);
        return true;
    }, cancellationToken);

    public Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        Run("create", name, path => WithTemporary(path, bytes.Span, (temporary, folder) =>
        {
            if (!Posix.TryLink(temporary, path))
                return false;
            Posix.FlushDirectory(folder);
            return true;
        }), cancellationToken);

    public Task ReplaceAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        Run("write", name, path => WithTemporary(path, bytes.Span, (temporary, folder) =>
        {
            File.Move(temporary, path, overwrite: true);
            Posix.FlushDirectory(folder);
            return true;
        }), cancellationToken);

    public IObjectWriter Create(string name, long bytes) => StoreErrors.Guard("write", Of(name), () =>
    {
        var path = Of(name);
        DurableFile.CreateDirectory(Path.GetDirectoryName(path)!);
        return new FileWriter(path, Temporary(path));
    });

    public Task<byte[]?> ReadAsync(string name, int mostBytes, CancellationToken cancellationToken) => Run("read", name, path =>
    {
        using var reader = OpenFile(path);
        if (reader is null)
            return null;
        if (reader.Length > mostBytes)
            throw new ObjectTooLargeException(path, reader.Length, mostBytes);
        var bytes = new byte[reader.Length];
        reader.Read(0, bytes);
        return bytes;
    }, cancellationToken);

    public IObjectReader? Open(string name) => StoreErrors.Guard("read", Of(name), () => OpenFile(Of(name)));

    public Task<long?> LengthAsync(string name, CancellationToken cancellationToken) => Run(
        "read", name, path => new FileInfo(path) is { Exists: true } file ? file.Length : (long?)null, cancellationToken);

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var folder = Folder(prefix);
        // One folder at a time: what is held follows the largest folder, not the whole tree.
        foreach (var entry in await RunAsync("list", folder, () => Entries(folder), cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (entry is FileInfo file)
            {
                if (!IsTemporary(file.Name))
                    yield return new($"{prefix}{file.Name}", file.Length, file.LastWriteTimeUtc);
                continue;
            }
            await foreach (var below in ListAsync($"{prefix}{entry.Name}/", cancellationToken))
                yield return below;
        }
    }

    public async IAsyncEnumerable<string> FoldersAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var folder = Folder(prefix);
        foreach (var entry in await RunAsync("list", folder, () => Entries(folder), cancellationToken))
        {
            if (entry is DirectoryInfo)
                yield return entry.Name;
        }
    }

    public Task DeleteAsync(string name, CancellationToken cancellationToken) => Run("delete", name, path =>
    {
        var folder = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(folder))
            return false;
        File.Delete(path);
        if (folder != _root)
            DurableFile.DeleteIfEmpty(folder);
        return true;
    }, cancellationToken);

    public Task<int> DeleteAllAsync(string prefix, CancellationToken cancellationToken)
    {
        var folder = Folder(prefix);
        return RunAsync("delete", folder, () =>
        {
            if (!Directory.Exists(folder))
                return 0;
            var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Count();
            Directory.Delete(folder, recursive: true);
            Posix.FlushDirectory(Path.GetDirectoryName(folder)!);
            return files;
        }, cancellationToken);
    }

    public void DeleteUnfinished(string prefix)
    {
        var folder = Folder(prefix);
        StoreErrors.Guard("delete", folder, () =>
        {
            if (!Directory.Exists(folder))
                return false;
            foreach (var file in Directory.EnumerateFiles(folder, "*.tmp").Where(f => IsTemporary(Path.GetFileName(f))).ToList())
                File.Delete(file);
            return true;
        });
    }

    /// <summary>A link may lead out of the store: no part of a name is one.</summary>
    FileReader? OpenFile(string path)
    {
        for (var part = path; part.Length > _root.Length; part = Path.GetDirectoryName(part)!)
        {
            if (new FileInfo(part).LinkTarget is not null)
                throw new StoreException($"{part} is a symbolic link, which may lead out of the store; put the file itself there");
        }
        try
        {
            return new FileReader(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    static T WithTemporary<T>(string path, ReadOnlySpan<byte> bytes, Func<string, string, T> name)
    {
        var folder = Path.GetDirectoryName(path)!;
        for (var attempt = 1; ; attempt++)
        {
            DurableFile.CreateDirectory(folder);
            var temporary = Temporary(path);
            try
            {
                DurableFile.Write(temporary, bytes);
                return name(temporary, folder);
            }
            catch (DirectoryNotFoundException) when (attempt < FolderAttempts)
            {
                // Another one deleted the last file in it, and the empty folder.
            }
            finally
            {
                DurableFile.DeleteIfThere(temporary);
            }
        }
    }

    static List<FileSystemInfo> Entries(string folder) => Directory.Exists(folder)
        ? [.. new DirectoryInfo(folder).EnumerateFileSystemInfos().Where(e => e.LinkTarget is null).OrderBy(
            e => e.Name, StringComparer.Ordinal)]
        : [];

    static string Temporary(string path) =>
        Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.tmp");

    static bool IsTemporary(string file) => TemporaryName().IsMatch(file);

    string Of(string name) => Where(ObjectNames.Checked(name, _root));

    string Folder(string prefix) => Where(ObjectNames.CheckedPrefix(prefix, _root).TrimEnd('/'));

    Task<T> Run<T>(string what, string name, Func<string, T> work, CancellationToken cancellationToken)
    {
        var path = Of(name);
        return RunAsync(what, path, () => work(path), cancellationToken);
    }

    /// <summary>A disk blocks its caller: off the caller's thread, which may be a grain's.</summary>
    static Task<T> RunAsync<T>(string what, string path, Func<T> work, CancellationToken cancellationToken) =>
        Task.Run(() => StoreErrors.Guard(what, path, work), cancellationToken);

    [GeneratedRegex(@"\A\..+\.[0-9a-f]{32}\.tmp\z")]
    private static partial Regex TemporaryName();
}

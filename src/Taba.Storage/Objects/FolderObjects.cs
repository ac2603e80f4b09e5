using System.IO.Enumeration;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Taba.Storage.Objects;

/// <summary>
/// Objects in a folder. A hard link that gives a finished file its name is the exclusive creation: it fails when the name is taken, also on
/// NFS, and needs no lock. A file is on the disk before it has its name, and the name is on the disk when the call returns. A symbolic link
/// may lead out of the store: lists pass it over, and a name that goes through one is refused.
/// </summary>
public sealed partial class FolderObjects : IObjectStore
{
    const int FolderAttempts = 5;

    static readonly EnumerationOptions s_withoutLinks =
        new() { AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false };

    readonly string _root;
    readonly string? _temporaries;

    /// <param name="root">The folder; it need not be there.</param>
    /// <param name="temporariesBeside">
    /// Whether unfinished files lie beside their own names, as in a folder that is a person's; otherwise all are in <see cref="Scratch"/>,
    /// where those that a kill left are found at once.
    /// </param>
    public FolderObjects(string root, bool temporariesBeside = false)
    {
        _root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));
        Scratch = Path.Combine(_root, "scratch");
        _temporaries = temporariesBeside ? null : Path.Combine(Scratch, "new");
    }

    public string Place => _root;

    public string Scratch { get; }

    public string Where(string name) => name.Length == 0 ? _root : Path.Combine(_root, name.Replace('/', Path.DirectorySeparatorChar));

    public string? LocalPath(string name) => Of(name);

    public Task PutAsync(string name, string file, CancellationToken cancellationToken) => RunAsync("write", Of(name), path =>
    {
        DurableFile.Flush(file);
        var folder = Path.GetDirectoryName(path)!;
        DurableFile.CreateDirectory(folder);
        File.Move(file, path, overwrite: true);
        Posix.FlushDirectory(folder);
        return true;
    }, cancellationToken);

    public Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        RunAsync("create", Of(name), path => WithTemporary(path, bytes.Span, (temporary, folder) =>
        {
            if (!Posix.TryLink(temporary, path))
                return false;
            Posix.FlushDirectory(folder);
            return true;
        }), cancellationToken);

    public Task ReplaceAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        RunAsync("write", Of(name), path => WithTemporary(path, bytes.Span, (temporary, folder) =>
        {
            File.Move(temporary, path, overwrite: true);
            Posix.FlushDirectory(folder);
            return true;
        }), cancellationToken);

    public IObjectWriter Create(string name, long bytes) => Guard("write", Of(name), path =>
    {
        DurableFile.CreateDirectory(Path.GetDirectoryName(path)!);
        return new FileWriter(path, Temporary(path));
    });

    public Task<byte[]?> ReadAsync(string name, int mostBytes, CancellationToken cancellationToken) => RunAsync("read", Of(name), path =>
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

    public IObjectReader? Open(string name) => Guard("read", Of(name), OpenFile);

    public Task<long?> LengthAsync(string name, CancellationToken cancellationToken) => RunAsync(
        "read", Of(name), path => new FileInfo(path) is { Exists: true } file ? file.Length : (long?)null, cancellationToken);

    public async IAsyncEnumerable<StoredObject> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // One folder at a time: what is held follows the largest folder, not the whole tree.
        foreach (var entry in await RunAsync("list", Folder(prefix), Entries, cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!entry.IsFolder)
            {
                yield return new($"{prefix}{entry.Name}", entry.Bytes, entry.LastWrite);
                continue;
            }
            await foreach (var below in ListAsync($"{prefix}{entry.Name}", cancellationToken))
                yield return below;
        }
    }

    public async IAsyncEnumerable<string> FoldersAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var entry in await RunAsync("list", Folder(prefix), Entries, cancellationToken))
        {
            if (entry.IsFolder)
                yield return entry.Name[..^1];
        }
    }

    public Task DeleteAsync(string name, CancellationToken cancellationToken) => RunAsync("delete", Of(name), path =>
    {
        try
        {
            File.Delete(path);
        }
        catch (DirectoryNotFoundException)
        {
            // Another one deleted the last file of the folder, and the folder.
            return false;
        }
        if (Path.GetDirectoryName(path)! is var folder && folder != _root)
            DurableFile.DeleteIfEmpty(folder);
        return true;
    }, cancellationToken);

    public Task<int> DeleteAllAsync(string prefix, CancellationToken cancellationToken) =>
        RunAsync("delete", Folder(prefix), folder =>
        {
            if (!Directory.Exists(folder))
                return 0;
            var files = Count(folder);
            Directory.Delete(folder, recursive: true);
            Posix.FlushDirectory(Path.GetDirectoryName(folder)!);
            return files;
        }, cancellationToken);

    public void DeleteUnfinished(string prefix, Func<string, bool>? of = null) =>
        Guard("delete", _temporaries ?? Folder(prefix), folder =>
        {
            // Where all of them lie together, others write too.
            if (_temporaries is not null && of is null)
                return false;
            try
            {
                foreach (var file in Directory.EnumerateFiles(folder, ".*.tmp").ToList())
                {
                    if (TemporaryName().Match(Path.GetFileName(file)) is { Success: true } match
                        && of?.Invoke(match.Groups[1].Value) != false)
                        File.Delete(file);
                }
            }
            catch (DirectoryNotFoundException)
            {
                // Nothing is there.
            }
            return true;
        });

    static FileReader? OpenFile(string path)
    {
        try
        {
            return new FileReader(path);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException || Directory.Exists(path))
        {
            return null;
        }
    }

    T WithTemporary<T>(string path, ReadOnlySpan<byte> bytes, Func<string, string, T> name)
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
            catch (Exception exception) when (
                exception is DirectoryNotFoundException or FileNotFoundException && attempt < FolderAttempts)
            {
                // Another one deleted the last file in it, and the empty folder; or took the temporary for one that a kill left.
            }
            finally
            {
                DurableFile.DeleteIfThere(temporary);
            }
        }
    }

    /// <summary>What is in a folder, in the order of whole names: a folder's slash counts.</summary>
    static List<Entry> Entries(string folder)
    {
        try
        {
            var entries = new FileSystemEnumerable<Entry>(
                folder, static (ref FileSystemEntry e) => e.IsDirectory
                    ? new($"{e.FileName}/", true, 0, default)
                    : new(e.FileName.ToString(), false, e.Length, e.LastWriteTimeUtc),
                s_withoutLinks)
            {
                ShouldIncludePredicate = static (ref FileSystemEntry e) => !TemporaryName().IsMatch(e.FileName),
            };
            return [.. entries.OrderBy(e => e.Name, StringComparer.Ordinal)];
        }
        catch (IOException exception) when (exception is DirectoryNotFoundException || File.Exists(folder))
        {
            // Not there when it was opened, whatever is there by now; or an object.
            return [];
        }
    }

    static int Count(string folder) => Entries(folder).Sum(e => e.IsFolder ? Count(Path.Combine(folder, e.Name)) : 1);

    string Temporary(string path)
    {
        if (_temporaries is not null)
            Directory.CreateDirectory(_temporaries);
        return Path.Combine(_temporaries ?? Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}.tmp");
    }

    string Of(string name) => Where(ObjectNames.Checked(name, _root));

    string Folder(string prefix) => Where(ObjectNames.CheckedPrefix(prefix, _root).TrimEnd('/'));

    string WithoutLinks(string path)
    {
        for (var part = path; part.Length > _root.Length; part = Path.GetDirectoryName(part)!)
        {
            if (new FileInfo(part).LinkTarget is not null)
                throw new StoreException($"{part} is a symbolic link, which may lead out of the store; put the file itself there");
        }
        return path;
    }

    T Guard<T>(string what, string path, Func<string, T> work) => StoreErrors.Guard(what, path, () => work(WithoutLinks(path)));

    /// <summary>A disk blocks its caller: off the caller's thread, which may be a grain's.</summary>
    Task<T> RunAsync<T>(string what, string path, Func<string, T> work, CancellationToken cancellationToken) =>
        Task.Run(() => Guard(what, path, work), cancellationToken);

    [GeneratedRegex(@"\A\.(.+)\.[0-9a-f]{32}\.tmp\z")]
    private static partial Regex TemporaryName();

    /// <param name="Name">That of a folder ends in a slash.</param>
    readonly record struct Entry(string Name, bool IsFolder, long Bytes, DateTimeOffset LastWrite);
}

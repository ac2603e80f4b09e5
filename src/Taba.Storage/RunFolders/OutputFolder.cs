using System.Text.RegularExpressions;
using Taba.Storage.Objects;

namespace Taba.Storage.RunFolders;

/// <summary>
/// A folder that results go to, wherever it is: a directory, or blobs whose names begin alike. Files are whole or absent. Every call
/// waits for the disk or the network: none belongs in a grain's turn.
/// </summary>
public sealed partial class OutputFolder
{
    readonly IObjectStore _objects;
    readonly string _prefix;

    /// <param name="objects">The place.</param>
    /// <param name="prefix">Empty, or the folder's name with a slash behind it.</param>
    public OutputFolder(IObjectStore objects, string prefix = "") => (_objects, _prefix) = (objects, prefix);

    /// <summary>A directory of this machine. It need not be there.</summary>
    public static OutputFolder At(string directory) => new(new FolderObjects(directory, temporariesBeside: true));

    /// <summary>A path or an address, for people.</summary>
    public string Place => _prefix.Length == 0 ? _objects.Place : _objects.Where(_prefix[..^1]);

    /// <summary>A folder within this one. It need not be there.</summary>
    /// <exception cref="StoreException">No folder can be called so.</exception>
    public OutputFolder Below(string name) => new(_objects, $"{Name(name)}/");

    /// <summary>The folders within this one, by name.</summary>
    public IReadOnlyList<OutputFolder> Folders() =>
        Wait(() => _objects.FoldersAsync(_prefix, CancellationToken.None).Select(name => new OutputFolder(_objects, $"{_prefix}{name}/"))
            .ToListAsync().AsTask());

    /// <summary>Bytes of a file; null when there is none of that name, and for a name that no file can have.</summary>
    public long? Length(string file) =>
        FileName().IsMatch(file) ? Wait(() => _objects.LengthAsync(Name(file), CancellationToken.None)) : null;

    /// <summary>Opens a file to be read at any offset; null when there is none of that name.</summary>
    public IObjectReader? Open(string file) => FileName().IsMatch(file) ? _objects.Open(Name(file)) : null;

    /// <summary>Makes the folder ready for new files; what a kill left half-written goes.</summary>
    public void Prepare() => _objects.DeleteUnfinished(_prefix);

    /// <summary>Deletes a file, if it is there.</summary>
    public void Delete(string file) => Wait(() => _objects.DeleteAsync(Name(file), CancellationToken.None));

    /// <summary>Begins a file that is too large to be held in memory.</summary>
    /// <param name="bytes">About how large it will be.</param>
    public IObjectWriter Create(string file, long bytes) => _objects.Create(Name(file), bytes);

    /// <summary>Writes a small file, replacing what has its name.</summary>
    public void Write(string file, ReadOnlySpan<byte> bytes)
    {
        var copy = bytes.ToArray();
        Wait(() => _objects.ReplaceAsync(Name(file), copy, CancellationToken.None));
    }

    /// <summary>The path of a file on this machine, there or not; null where files have none.</summary>
    public string? LocalPath(string file) => FileName().IsMatch(file) ? _objects.LocalPath(Name(file)) : null;

    /// <summary>All bytes of a small file; null when there is none of that name.</summary>
    /// <exception cref="InvalidDataException">It is not small.</exception>
    public byte[]? Read(string file)
    {
        try
        {
            return FileName().IsMatch(file) ? Wait(() => _objects.ReadAsync(Name(file), 1 << 30, CancellationToken.None)) : null;
        }
        catch (ObjectTooLargeException exception)
        {
            throw new InvalidDataException($"{Place}/{file} is larger than any file of its name.", exception);
        }
    }

    /// <summary>The whole name of a file or folder.</summary>
    string Name(string name) => FileName().IsMatch(name)
        ? $"{_prefix}{name}"
        : throw new StoreException($"'{ObjectNames.Shown(name)}' cannot name a file in {Place}: a name without slashes can");

    /// <summary>On a thread of the pool: waiting where the caller's scheduler has one thread would wait for ever.</summary>
    static T Wait<T>(Func<Task<T>> request) => Task.Run(request).GetAwaiter().GetResult();

    static void Wait(Func<Task> request) => Task.Run(request).GetAwaiter().GetResult();

    [GeneratedRegex(@"\A(?!\.{1,2}\z)[^/\\\p{C}]{1,200}\z")]
    private static partial Regex FileName();
}

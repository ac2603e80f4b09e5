namespace Taba.Diffusion.Weights.Hub;

/// <summary>
/// The hub's cache as its own libraries lay it out, so that both share one: <c>models--org--name/blobs/DIGEST</c> hold the bytes,
/// <c>snapshots/COMMIT/PATH</c> are relative links to them, <c>refs/REVISION</c> says which commit a branch stood for.
/// </summary>
/// <remarks>
/// File systems without symbolic links (network shares, exFAT) hold the bytes in the snapshots themselves, as those libraries do there.
/// </remarks>
public sealed class HubCache
{
    const int CommitLength = 40;

    readonly Action<string, string> _symbolicLink;

    /// <param name="root">The folder of the cache; it need not exist.</param>
    public HubCache(string root)
        : this(root, static (link, target) => System.IO.File.CreateSymbolicLink(link, target))
    {
    }

    /// <param name="root">The folder of the cache; it need not exist.</param>
    /// <param name="symbolicLink">Makes a link at its first argument to its second; fails where there are none.</param>
    internal HubCache(string root, Action<string, string> symbolicLink) =>
        (Root, _symbolicLink) = (Path.GetFullPath(root), symbolicLink);

    public string Root { get; }

    /// <summary>The folder of a repository at a revision: a branch or tag as it was when it was last pulled, or a commit.</summary>
    /// <returns>Null when the cache has none.</returns>
    /// <exception cref="HubException">The revision cannot be one.</exception>
    public string? Snapshot(HubRepository repository, string revision = "main")
    {
        var folder = Commit(repository, revision) is { } commit ? SnapshotPath(repository, commit) : null;
        return Directory.Exists(folder) ? folder : null;
    }

    /// <summary>A file of a repository, given with forward slashes.</summary>
    /// <returns>Null when the cache has none.</returns>
    public string? File(HubRepository repository, string path, string revision = "main")
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!HubNames.IsSafePath(path) || Snapshot(repository, revision) is not { } folder)
            return null;
        var file = Path.Combine(folder, Path.Combine(path.Split('/')));
        return Exists(file) ? file : null;
    }

    /// <summary>The commit that a revision stands for here; null when it is unknown.</summary>
    public string? Commit(HubRepository repository, string revision = "main")
    {
        if (HubNames.IsCommit(HubNames.RequireRevision(revision)))
            return revision;
        try
        {
            using var file = System.IO.File.OpenHandle(
                RefPath(repository, revision), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var bytes = new byte[CommitLength + 2];
            var text = System.Text.Encoding.ASCII.GetString(bytes, 0, RandomAccess.Read(file, bytes, 0)).Trim();
            return HubNames.IsCommit(text) ? text : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    internal string BlobPath(HubRepository repository, string blob) => Path.Combine(FolderOf(repository), "blobs", blob);

    /// <summary>The lock of a blob, where the hub's libraries put it too.</summary>
    internal string LockPath(HubRepository repository, string blob) => Path.Combine(Root, ".locks", repository.FolderName, blob + ".lock");

    internal string SnapshotPath(HubRepository repository, string commit) => Path.Combine(FolderOf(repository), "snapshots", commit);

    /// <summary>True when the bytes of a file are here whole: as a blob, or in the snapshot where there are no links.</summary>
    internal bool Holds(HubListing listing, HubFile file) => BytesOf(listing, file) is not null;

    /// <summary>
    /// Shows a file's bytes under its name in a snapshot: as a link, or, where the file system has none, as the file itself. What is
    /// there already is replaced as a whole.
    /// </summary>
    /// <param name="listing">The snapshot.</param>
    /// <param name="file">The file of it.</param>
    /// <param name="mayMove">The blob is new, so that nothing but this snapshot can need it: it is moved rather than copied.</param>
    internal void Show(HubListing listing, HubFile file, bool mayMove)
    {
        var shown = ShownPath(listing, file);
        if (BytesOf(listing, file) is not { } bytes || bytes == shown)
            return;
        var folder = Path.GetDirectoryName(shown)!;
        Directory.CreateDirectory(folder);
        var temporary = Path.Combine(folder, $".{Guid.NewGuid():N}.tmp");
        try
        {
            _symbolicLink(temporary, Path.GetRelativePath(folder, bytes));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // There are no links, or they want a privilege. What else may be wrong with the disk shows again at once.
            if (mayMove && bytes == BlobPath(listing.Repository, file.Blob))
                temporary = bytes;
            else
                Copy(bytes, temporary);
        }

        System.IO.File.Move(temporary, shown, overwrite: true);
    }

    /// <summary>Notes what a branch or tag stands for. To be written last: a revision with a note has all its files.</summary>
    internal void WriteRef(HubListing listing)
    {
        if (HubNames.IsCommit(listing.Revision))
            return;
        var path = RefPath(listing.Repository, listing.Revision);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var temporary = $"{path}.{Guid.NewGuid():N}.tmp";
        System.IO.File.WriteAllText(temporary, listing.Commit);
        System.IO.File.Move(temporary, path, overwrite: true);
    }

    /// <summary>The file itself in the snapshot, its blob, or another file of these bytes; null when none is here whole.</summary>
    string? BytesOf(HubListing listing, HubFile file) =>
        listing.Files.Where(other => other.Blob == file.Blob).Select(other => ShownPath(listing, other))
            .Prepend(BlobPath(listing.Repository, file.Blob)).Prepend(ShownPath(listing, file))
            .FirstOrDefault(path => new FileInfo(path) is { Exists: true, LinkTarget: null } info && info.Length == file.Size);

    string ShownPath(HubListing listing, HubFile file) =>
        Path.Combine(SnapshotPath(listing.Repository, listing.Commit), Path.Combine(file.Path.Split('/')));

    static void Copy(string from, string to)
    {
        try
        {
            System.IO.File.Copy(from, to);
        }
        catch
        {
            System.IO.File.Delete(to); // a full disk leaves half of it
            throw;
        }
    }

    static bool Exists(string path) =>
        new FileInfo(path) is { Exists: true } info && info.ResolveLinkTarget(returnFinalTarget: true) is not { Exists: false };

    string FolderOf(HubRepository repository) => Path.Combine(Root, repository.FolderName);

    string RefPath(HubRepository repository, string revision) =>
        Path.Combine(FolderOf(repository), "refs", Path.Combine(revision.Split('/')));
}

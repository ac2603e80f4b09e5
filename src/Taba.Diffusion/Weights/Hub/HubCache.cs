namespace Taba.Diffusion.Weights.Hub;

/// <summary>
/// The hub's cache as its own libraries lay it out, so that both share one: <c>models--org--name/blobs/DIGEST</c> hold the bytes,
/// <c>snapshots/COMMIT/PATH</c> are relative links to them, <c>refs/REVISION</c> says which commit a branch stood for.
/// </summary>
/// <param name="root">The folder of the cache; it need not exist.</param>
public sealed class HubCache(string root)
{
    const int CommitLength = 40;

    public string Root { get; } = Path.GetFullPath(root);

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

    /// <summary>True when a blob is here whole.</summary>
    internal bool Holds(HubRepository repository, HubFile file) =>
        new FileInfo(BlobPath(repository, file.Blob)) is { Exists: true } blob && blob.Length == file.Size;

    /// <summary>Shows a blob under its name in a snapshot; a link that is there already is replaced as a whole.</summary>
    internal void Link(HubListing listing, HubFile file)
    {
        var link = Path.Combine(SnapshotPath(listing.Repository, listing.Commit), Path.Combine(file.Path.Split('/')));
        var folder = Path.GetDirectoryName(link)!;
        Directory.CreateDirectory(folder);
        var blob = BlobPath(listing.Repository, file.Blob);
        var temporary = Path.Combine(folder, $".{Guid.NewGuid():N}.tmp");
        try
        {
            System.IO.File.CreateSymbolicLink(temporary, Path.GetRelativePath(folder, blob));
        }
        catch (Exception error) when (OperatingSystem.IsWindows() && error is IOException or UnauthorizedAccessException)
        {
            System.IO.File.Copy(blob, temporary); // links want a privilege there
        }

        System.IO.File.Move(temporary, link, overwrite: true);
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

    static bool Exists(string path) =>
        new FileInfo(path) is { Exists: true } info && info.ResolveLinkTarget(returnFinalTarget: true) is not { Exists: false };

    string FolderOf(HubRepository repository) => Path.Combine(Root, repository.FolderName);

    string RefPath(HubRepository repository, string revision) =>
        Path.Combine(FolderOf(repository), "refs", Path.Combine(revision.Split('/')));
}

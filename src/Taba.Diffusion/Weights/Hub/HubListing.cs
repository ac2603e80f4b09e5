using System.Text.Json;

namespace Taba.Diffusion.Weights.Hub;

/// <summary>A file of a repository.</summary>
/// <param name="Path">Below the repository's root, with forward slashes.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Blob">Its identity and the name of its blob in the cache: the SHA-256 of a large file, git's SHA-1 of a small one.</param>
public sealed record HubFile(string Path, long Size, string Blob);

/// <summary>The files of a repository at one commit.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Revision">As it was asked for.</param>
/// <param name="Commit">The commit that the revision stood for.</param>
/// <param name="Files">All files, in the hub's order.</param>
public sealed record HubListing(HubRepository Repository, string Revision, string Commit, IReadOnlyList<HubFile> Files)
{
    /// <summary>A repository of a hundred thousand files lists in about 20 MB.</summary>
    internal const int MaxBytes = 64 << 20;

    /// <summary>So many files of such a size still add up in 64 bits.</summary>
    const int MaxFiles = 1 << 18;
    const long MaxFileBytes = 1L << 44;

    static readonly JsonDocumentOptions s_strict = new() { AllowDuplicateProperties = false, MaxDepth = 32 };

    /// <summary>Reads the hub's answer to <c>api/models/ID/revision/REVISION?blobs=true</c>.</summary>
    /// <exception cref="HubException">It is no such answer.</exception>
    internal static HubListing Parse(HubRepository repository, string revision, ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, s_strict);
            var root = document.RootElement;
            var commit = Text(root, "sha");
            if (commit is null || !HubNames.IsCommit(commit) || !root.TryGetProperty(
                "siblings", out var siblings) || siblings.ValueKind != JsonValueKind.Array)
                throw Wrong("it names no commit or no files");
            if (siblings.GetArrayLength() > MaxFiles)
                throw Wrong($"it names {siblings.GetArrayLength()} files, more than {MaxFiles}");
            return new HubListing(repository, revision, commit, [.. siblings.EnumerateArray().Select(File)]);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw Wrong(error.Message.TrimEnd('.'));
        }

        HubFile File(JsonElement entry)
        {
            var path = Text(entry, "rfilename");
            if (path is null || !HubNames.IsSafePath(path))
                throw Wrong(
                    $"it names a file {(path is null ? "without a name" : $"'{path[..Math.Min(path.Length, 80)]}'")}, which cannot be one");
            var large = entry.TryGetProperty("lfs", out var lfs) && lfs.ValueKind == JsonValueKind.Object;
            var blob = large ? Text(lfs, "sha256") ?? Text(lfs, "oid") : Text(entry, "blobId");
            var size = Size(large ? lfs : entry) ?? Size(entry);
            if (blob is null || !HubNames.IsBlob(blob) || (large && blob.Length != 64) || size is null)
                throw Wrong($"it states no size or digest of '{path}'");
            return new HubFile(path, size.Value, blob);
        }

        HubException Wrong(string why) => new(HubFault.Corrupt, $"The hub's list of the files of {repository} cannot be used: {why}.");
    }

    static string? Text(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
        ? value.GetString()
        : null;

    static long? Size(JsonElement element) =>
        element.TryGetProperty("size", out var value) && value.ValueKind == JsonValueKind.Number
        && value.TryGetInt64(out var size) && size is >= 0 and <= MaxFileBytes ? size : null;
}

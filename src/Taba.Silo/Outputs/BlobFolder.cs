using System.Text.RegularExpressions;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using Taba.Diffusion.Tensors;
using Taba.Grains;
using Taba.Silo.Storage;

namespace Taba.Silo.Outputs;

/// <summary>
/// An output folder of blobs: in the container of a cluster's tensors, below <c>runs/</c>, where no name can be that of a tensor, a
/// checkpoint or a grain's state.
/// </summary>
public sealed partial class BlobFolder : IOutputFolder
{
    /// <summary>The beginning of a place of blobs on the command line.</summary>
    public const string Scheme = "blob:";

    const string Runs = "runs/";
    const int LongestPrefix = 300;

    readonly BlobContainerClient _container;
    readonly string _prefix;

    BlobFolder(BlobContainerClient container, string prefix) => (_container, _prefix) = (container, prefix);

    /// <param name="container">The container of a cluster's tensors.</param>
    /// <param name="place">blob:PREFIX</param>
    /// <exception cref="BadInputException">The prefix cannot be one.</exception>
    public static BlobFolder At(BlobContainerClient container, string place) => new(container, Runs + Prefix(place));

    /// <summary>True when a place that a user gave means blobs.</summary>
    public static bool IsPlace(string place) => place.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);

    /// <summary>The prefix of blob:PREFIX.</summary>
    /// <exception cref="BadInputException">It cannot be one.</exception>
    public static string Prefix(string place)
    {
        var prefix = place[Scheme.Length..].Replace(Path.DirectorySeparatorChar, '/');
        return prefix.Length <= LongestPrefix && PrefixName().IsMatch(prefix)
            ? prefix
            : throw new BadInputException(
                $"'{Shown(place)}' is not a place for blobs: blob:PREFIX is, where PREFIX is one or more names with a slash between "
                + "them, of letters, digits, '-', '_' and single dots "
                + $"within, at most {LongestPrefix} characters with the sweep's name.");
    }

    public string Place => BlobErrors.Where(_container, _prefix);

    public IOutputFolder Below(string name) => new BlobFolder(_container, Name(name));

    public IReadOnlyList<IOutputFolder> Folders() => BlobErrors.Guard("list", Place, () => (IReadOnlyList<IOutputFolder>)
    [
        .. _container.GetBlobsByHierarchy(new GetBlobsByHierarchyOptions { Prefix = $"{_prefix}/", Delimiter = "/" })
            .Where(item => item.IsPrefix).Select(item => new BlobFolder(_container, item.Prefix.TrimEnd('/'))),
    ]);

    public long? Length(string file) => Found(file)?.ContentLength;

    /// <summary>Reads in ranges; a file that is replaced meanwhile is an error, not a mixture.</summary>
    public IObjectReader? Open(string file) => Found(file) is { } found
        ? new BlobObjectReader(_container.GetBlobClient(Name(file)), Where(file), found.ContentLength, found.ETag)
        : null;

    public void Prepare()
    {
        // A prefix is there with its first blob, and a blob with its last byte.
    }

    public void Delete(string file) => BlobErrors.Guard("delete", Where(file), () => _container.DeleteBlobIfExists(Name(file)).Value);

    public IFileSink Create(string file, long bytes) =>
        new BlobFileSink(_container.GetBlockBlobClient(Name(file)), Where(file), BlobObjects.BlockBytes(bytes));

    public void Write(string file, ReadOnlySpan<byte> bytes)
    {
        var content = new BinaryData(bytes.ToArray());
        BlobErrors.Guard("write", Where(file), () => _container.GetBlobClient(Name(file)).Upload(
            content, new BlobUploadOptions { HttpHeaders = new() { ContentType = ContentType(file) } }));
    }

    public string? LocalPath(string file) => null;

    /// <summary>Null also for a name that no file here can have: a manifest may name anything.</summary>
    BlobProperties? Found(string file) => !FileName().IsMatch(file) ? null : BlobErrors.Guard("read", Where(file), () =>
    {
        try
        {
            return _container.GetBlobClient(Name(file)).GetProperties().Value;
        }
        catch (RequestFailedException exception) when (exception.Status == 404 && exception.ErrorCode != BlobErrorCode.ContainerNotFound)
        {
            return null;
        }
    });

    string Where(string file) => BlobErrors.Where(_container, Name(file));

    /// <summary>The whole name of a file or folder.</summary>
    string Name(string name) => FileName().IsMatch(name)
        ? $"{_prefix}/{name}"
        : throw new StoreException(
            $"'{Shown(name)}' cannot name a file in {Place}: a name without slashes that does not begin or end with a dot can");

    static string ContentType(string file) => Path.GetExtension(file) switch
    {
        ".json" => "application/json",
        ".html" => "text/html; charset=utf-8",
        ".csv" => "text/csv; charset=utf-8",
        ".png" => "image/png",
        _ => "application/octet-stream",
    };

    /// <summary>Of text from outside as much as a message takes.</summary>
    static string Shown(string text) => Unprintable().Replace(text.Length <= 80 ? text : $"{text[..80]}...", "?");

    [GeneratedRegex(@"\A[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(/[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)*\z")]
    private static partial Regex PrefixName();

    [GeneratedRegex(@"\A[^./\\\p{C}]([^/\\\p{C}]{0,198}[^./\\\p{C}])?\z")]
    private static partial Regex FileName();

    [GeneratedRegex(@"\p{C}")]
    private static partial Regex Unprintable();
}

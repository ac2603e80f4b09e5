using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace Taba.Diffusion.Weights.Hub;

/// <summary>The kinds of repositories. Each has names of its own.</summary>
public enum HubKind
{
    Model,
    Dataset,
}

/// <summary>A repository of the hub. Its id was checked, so that it can be part of a path and of an address.</summary>
public sealed partial record HubRepository
{
    const int MaxLength = 96;

    HubRepository(HubKind kind, string id) => (Kind, Id) = (kind, id);

    public HubKind Kind { get; }

    /// <summary>"organization/name", or "name" for the oldest ones.</summary>
    public string Id { get; }

    /// <summary>Its folder in the cache: models--organization--name.</summary>
    public string FolderName => $"{Plural}--{Id.Replace("/", "--", StringComparison.Ordinal)}";

    /// <summary>The part of the API's addresses that names it.</summary>
    internal string ApiPath => $"api/{Plural}/{Id}";

    /// <summary>The part of the file addresses that names it.</summary>
    internal string FilesPath => Kind == HubKind.Model ? Id : $"{Plural}/{Id}";

    string Plural => Kind == HubKind.Model ? "models" : "datasets";

    /// <exception cref="HubException">The id cannot be one of the hub.</exception>
    public static HubRepository Model(string id) => Create(HubKind.Model, id);

    /// <exception cref="HubException">The id cannot be one of the hub.</exception>
    public static HubRepository Dataset(string id) => Create(HubKind.Dataset, id);

    /// <summary>True when a text can be the id of a model repository with an organization.</summary>
    public static bool TryModel(string text, [NotNullWhen(true)] out HubRepository? repository)
    {
        repository = text is not null
            && text.Contains('/', StringComparison.Ordinal) && IsId(text) ? new HubRepository(HubKind.Model, text) : null;
        return repository is not null;
    }

    /// <summary>The model repository whose folder in a cache is <c>models--organization--name/snapshots/COMMIT</c>.</summary>
    /// <param name="folder">Any folder.</param>
    /// <returns>Null when it is no such folder.</returns>
    public static HubRepository? OfSnapshot(string folder)
    {
        if (string.IsNullOrEmpty(folder))
            return null;
        var snapshot = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        var snapshots = Path.GetDirectoryName(snapshot);
        return HubNames.IsCommit(Path.GetFileName(snapshot)) && Path.GetFileName(snapshots) == "snapshots"
            && Path.GetFileName(Path.GetDirectoryName(snapshots))?.Split("--") is ["models", _, ..] parts
            && string.Join('/', parts[1..]) is var id && IsId(id) ? new(HubKind.Model, id) : null;
    }

    public override string ToString() => Kind == HubKind.Model ? Id : $"{Id} (dataset)";

    static HubRepository Create(HubKind kind, string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return IsId(id)
            ? new HubRepository(kind, id)
            : throw new HubException(
                HubFault.BadRequest,
                $"'{(id.Length <= 120 ? id : id[..120] + "...")}' is no repository of the hub: expected organization/name.");
    }

    // The hub's own rules; "--" separates the parts of a folder's name and ".." leaves it.
    static bool IsId(string id) =>
        id.Length <= MaxLength && IdPattern().IsMatch(id)
        && !id.Contains("--", StringComparison.Ordinal) && !id.Contains("..", StringComparison.Ordinal) && !id.EndsWith(
            ".git", StringComparison.Ordinal);

    [GeneratedRegex(@"\A[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?(/[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?)?\z",
        RegexOptions.CultureInvariant)]
    private static partial Regex IdPattern();
}

using System.Buffers;
using System.Text.RegularExpressions;

namespace Taba.Diffusion.Weights.Hub;

/// <summary>Which names from a server or a user may become part of a path.</summary>
static partial class HubNames
{
    const int MaxPath = 512, MaxRevision = 128;

    static readonly SearchValues<char> s_noPartOfAName = SearchValues.Create("\\:*?\"<>|");

    /// <summary>True when a text is a whole commit id.</summary>
    public static bool IsCommit(string text) => CommitPattern().IsMatch(text);

    /// <summary>True when a text is a SHA-1 or SHA-256 in lower-case hexadecimal, as blobs are called.</summary>
    public static bool IsBlob(string text) => BlobPattern().IsMatch(text);

    /// <summary>A branch, tag, or commit: segments of ordinary characters.</summary>
    /// <exception cref="HubException">It is something else.</exception>
    public static string RequireRevision(string revision)
    {
        ArgumentNullException.ThrowIfNull(revision);
        return revision.Length <= MaxRevision && RevisionPattern().IsMatch(revision) && !revision.Contains("..", StringComparison.Ordinal)
            ? revision
            : throw new HubException(
                HubFault.BadRequest,
                $"'{(revision.Length <= 120 ? revision : revision[..120] + "...")}' is no revision: expected a branch, a tag or a commit.");
    }

    /// <summary>True when a file's path stays below its repository's folder on every system.</summary>
    public static bool IsSafePath(string path) =>
        path.Length is > 0 and <= MaxPath
        && path.AsSpan().IndexOfAny(s_noPartOfAName) < 0
        && !path.Any(char.IsControl)
        && path.Split('/').All(segment => segment.Length > 0 && segment.Trim('.', ' ').Length > 0);

    [GeneratedRegex(@"\A[0-9a-f]{40}\z", RegexOptions.CultureInvariant)]
    private static partial Regex CommitPattern();

    [GeneratedRegex(@"\A([0-9a-f]{40}|[0-9a-f]{64})\z", RegexOptions.CultureInvariant)]
    private static partial Regex BlobPattern();

    [GeneratedRegex(@"\A[A-Za-z0-9_][A-Za-z0-9._+-]*(/[A-Za-z0-9_][A-Za-z0-9._+-]*)*\z", RegexOptions.CultureInvariant)]
    private static partial Regex RevisionPattern();
}

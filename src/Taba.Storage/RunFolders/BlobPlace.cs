using System.Text.RegularExpressions;
using Taba.Storage.Objects;

namespace Taba.Storage.RunFolders;

/// <summary>
/// The place of run folders as blobs, blob:PREFIX on the command line: in the container of a cluster's tensors, below <c>runs/</c>,
/// where no
/// name can be that of a tensor or a checkpoint.
/// </summary>
public static partial class BlobPlace
{
    /// <summary>The beginning of a place of blobs on the command line.</summary>
    public const string Scheme = "blob:";

    /// <summary>Names of run folders in a container begin with it.</summary>
    public const string Runs = "runs/";

    const int LongestPrefix = 300;

    /// <param name="objects">The container of a cluster's tensors.</param>
    /// <param name="place">blob:PREFIX</param>
    /// <exception cref="BadInputException">The prefix cannot be one.</exception>
    public static OutputFolder At(IObjectStore objects, string place) => new(objects, $"{Runs}{Prefix(place)}/");

    /// <summary>True when a place that a user gave means blobs.</summary>
    public static bool Is(string place) => place.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase);

    /// <summary>The prefix of blob:PREFIX.</summary>
    /// <exception cref="BadInputException">It cannot be one.</exception>
    public static string Prefix(string place)
    {
        var prefix = place[Scheme.Length..].Replace(Path.DirectorySeparatorChar, '/');
        return prefix.Length <= LongestPrefix && PrefixName().IsMatch(prefix)
            ? prefix
            : throw new BadInputException(
                $"'{ObjectNames.Shown(place)}' is not a place for blobs: blob:PREFIX is, where PREFIX is one or more names with a slash "
                + "between them, of letters, digits, '-', '_' and single dots "
                + $"within, at most {LongestPrefix} characters with the sweep's name.");
    }

    [GeneratedRegex(@"\A[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*(/[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*)*\z")]
    private static partial Regex PrefixName();
}

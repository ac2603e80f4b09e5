using System.Text.RegularExpressions;

namespace Taba.Storage.Objects;

/// <summary>Names of objects, for every kind of place.</summary>
static partial class ObjectNames
{
    /// <summary>True when a text names an object that lies within its place.</summary>
    public static bool IsName(string name) =>
        name.Length is > 0 and <= 1024 && !Unfit().IsMatch(name)
        && name.Split('/').All(segment => segment is not ("" or "." or ".."));

    /// <summary>The name itself.</summary>
    /// <exception cref="StoreException">It is none.</exception>
    public static string Checked(string name, string place) => IsName(name)
        ? name
        : throw new StoreException($"'{Shown(name)}' cannot name anything in {place}");

    /// <summary>The prefix itself: empty, or a name with a slash behind it.</summary>
    /// <exception cref="StoreException">It is none.</exception>
    public static string CheckedPrefix(string prefix, string place)
    {
        if (prefix.Length > 0)
            Checked(prefix.EndsWith('/') ? prefix[..^1] : "/", place);
        return prefix;
    }

    /// <summary>Of text from outside as much as a message takes.</summary>
    public static string Shown(string text) => Control().Replace(text.Length <= 80 ? text : $"{text[..80]}...", "?");

    [GeneratedRegex(@"[\\\p{C}]")]
    private static partial Regex Unfit();

    [GeneratedRegex(@"\p{C}")]
    private static partial Regex Control();
}

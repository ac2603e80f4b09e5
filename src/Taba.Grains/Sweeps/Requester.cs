using System.Globalization;
using System.Text;

namespace Taba.Grains.Sweeps;

/// <summary>
/// Who asks for a change, as a name for people: it travels with the call, and stands in the sweep's log. Nothing is granted by it.
/// </summary>
public static class Requester
{
    const string Key = "taba.user";

    /// <summary>The most characters of a name.</summary>
    public const int MostCharacters = 64;

    /// <summary>The user of this process and its machine: <c>anna@node7</c>.</summary>
    public static string OfProcess { get; } = Clean($"{Environment.UserName}@{Environment.MachineName}") ?? "somebody";

    /// <summary>Gives the calls that this flow makes from now on a name.</summary>
    public static void Send(string name)
    {
        if (Clean(name) is { } clean)
            RequestContext.Set(Key, clean);
    }

    /// <summary>Who asks for the present call; null when they do not say.</summary>
    public static string? Received => RequestContext.Get(Key) is string name ? Clean(name) : null;

    /// <summary>
    /// A name as it may be shown: without characters that steer a terminal or cannot be seen, and bounded. Null when nothing is left.
    /// </summary>
    public static string? Clean(string name)
    {
        var clean = new StringBuilder();
        foreach (var rune in name.EnumerateRunes())
        {
            var shown = Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator) && rune != Rune.ReplacementChar;
            if (shown && clean.Length + rune.Utf16SequenceLength <= MostCharacters)
                clean.Append(rune);
        }
        var text = clean.ToString().Trim();
        return text.Length == 0 ? null : text;
    }
}

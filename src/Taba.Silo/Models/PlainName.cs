using System.Globalization;
using System.Text;

namespace Taba.Silo.Models;

/// <summary>What a user calls something, as a part of the name of a file that every system takes.</summary>
public static class PlainName
{
    /// <summary>The text with its letters and digits of any script, and what is <paramref name="kept"/>.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="kept">Signs that stay.</param>
    /// <param name="otherwise">Stands for every sign that does not.</param>
    public static string Of(string text, string kept, char otherwise)
    {
        ArgumentNullException.ThrowIfNull(text);
        var plain = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
            plain.Append(IsKept(rune) ? rune.ToString() : $"{otherwise}");
        return plain.ToString();

        bool IsKept(Rune rune) =>
            rune.IsAscii ? char.IsAsciiLetterOrDigit((char)rune.Value) || kept.Contains((char)rune.Value, StringComparison.Ordinal)
            : Rune.IsLetterOrDigit(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark
                or UnicodeCategory.SpacingCombiningMark;
    }
}

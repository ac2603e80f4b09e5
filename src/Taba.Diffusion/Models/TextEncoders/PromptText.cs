using System.Globalization;
using System.Text;

namespace Taba.Diffusion.Models.TextEncoders;

/// <summary>
/// Prepares a prompt for the tokenizer as upstream does (DeepFloyd's pipeline with clean_caption off): Python's
/// <c>prompt.lower().strip()</c>. Python's rules are Unicode's full ones, .NET's invariant ones map one character to one.
/// </summary>
static class PromptText
{
    const int CapitalSigma = 0x3A3;
    const int CapitalDottedI = 0x130;

    /// <summary>The prompt in lower case, without white space at its ends. Lone surrogates become U+FFFD.</summary>
    public static string Normalize(string prompt)
    {
        var runes = prompt.EnumerateRunes().ToArray();
        var first = Array.FindIndex(runes, rune => !IsSpace(rune));
        if (first < 0)
            return "";
        var last = Array.FindLastIndex(runes, rune => !IsSpace(rune));
        var text = new StringBuilder(prompt.Length + 1);
        for (var i = first; i <= last; i++)
        {
            switch (runes[i].Value)
            {
                case CapitalDottedI:
                    text.Append("i\u0307");
                    break;
                case CapitalSigma:
                    text.Append(EndsWord(runes, i) ? 'ς' : 'σ');
                    break;
                default:
                    text.Append(Rune.ToLowerInvariant(runes[i]));
                    break;
            }
        }

        return text.ToString();
    }

    /// <summary>Python's str.isspace: .NET's white space and the four information separators.</summary>
    static bool IsSpace(Rune rune) => Rune.IsWhiteSpace(rune) || rune.Value is >= 0x1C and <= 0x1F;

    /// <summary>Unicode's Final_Sigma (SpecialCasing.txt): a cased letter before, none after, case-ignorable characters aside.</summary>
    static bool EndsWord(Rune[] runes, int sigma)
    {
        var before = sigma - 1;
        while (before >= 0 && IsCaseIgnorable(runes[before]))
            before--;
        var after = sigma + 1;
        while (after < runes.Length && IsCaseIgnorable(runes[after]))
            after++;
        return before >= 0 && IsCased(runes[before]) && (after == runes.Length || !IsCased(runes[after]));
    }

    static bool IsCased(Rune rune) =>
        Rune.IsUpper(rune) || Rune.IsLower(rune) || Rune.GetUnicodeCategory(rune) == UnicodeCategory.TitlecaseLetter
        || Rune.ToLowerInvariant(rune) != rune || Rune.ToUpperInvariant(rune) != rune
        || rune.Value is 0xAA or 0xBA or (>= 0x1F130 and <= 0x1F149) or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);

    static bool IsCaseIgnorable(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format
            or UnicodeCategory.ModifierLetter or UnicodeCategory.ModifierSymbol
        || rune.Value is '\'' or '.' or ':' or 0xB7 or 0x387 or 0x55F or 0x5F4 or 0x2018 or 0x2019 or 0x2024 or 0x2027
            or 0xFE13 or 0xFE52 or 0xFE55 or 0xFF07 or 0xFF0E or 0xFF1A;
}

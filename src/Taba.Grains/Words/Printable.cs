using System.Text;

namespace Taba.Grains.Words;

/// <summary>
/// Text that names of files, keys, labels, prompts and messages of libraries are part of, made harmless for a terminal: whatever would
/// move the cursor, colour, end the line or turn the direction of writing is shown by its code.
/// </summary>
public static class Printable
{
    /// <summary>A text as one line.</summary>
    public static string Line(string text) => Of(text, keepLines: false);

    /// <summary>A text whose lines stay lines.</summary>
    public static string Lines(string text) => Of(text, keepLines: true);

    static string Of(string text, bool keepLines)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!IsHarmless(text, i, keepLines))
                return Shown(text, i, keepLines);
        }
        return text;
    }

    static string Shown(string text, int from, bool keepLines)
    {
        var shown = new StringBuilder(text, 0, from, text.Length + 16);
        for (var i = from; i < text.Length; i++)
        {
            if (IsHarmless(text, i, keepLines))
                shown.Append(text[i]);
            else if (text[i] is '\n')
                shown.Append(@"\n");
            else if (text[i] is '\r')
                shown.Append(@"\r");
            else
                shown.Append($@"\u{(int)text[i]:x4}");
        }
        return shown.ToString();
    }

    static bool IsHarmless(string text, int at, bool keepLines) => text[at] switch
    {
        '\t' => true,
        '\n' => keepLines,
        // Line and paragraph separators; marks, embeddings, overrides and isolates of the direction of writing.
        '\u2028' or '\u2029' or '\u061c' or '\u200e' or '\u200f' or (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069') => false,
        var c when char.IsHighSurrogate(c) => at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]),
        var c when char.IsLowSurrogate(c) => at > 0 && char.IsHighSurrogate(text[at - 1]),
        var c => !char.IsControl(c),
    };
}

using System.Net;
using System.Text.RegularExpressions;

namespace Taba.Diffusion.Models.TextEncoders;

/// <summary>
/// Prepares a caption for CLIP's tokenizer as OpenAI's code does: characters made plain (ftfy), HTML's entities resolved twice, white space
/// narrowed to single blanks, lower case. Of ftfy: control characters, quotes, ligatures and wide Latin letters; neither the repair of text
/// that was decoded wrongly nor the joining of a letter with the accent that follows it, which a runtime without ICU cannot do.
/// </summary>
static partial class ClipText
{
    const char FirstLigature = '\uFB00';
    const char WideSpace = '\u3000';
    const int FromWide = 0xFEE0;

    static readonly string[] s_ligatures = ["ff", "fi", "fl", "ffi", "ffl", "st", "st"];

    /// <summary>The caption as it is cut into tokens.</summary>
    public static string Normalize(string caption)
    {
        var plain = WithoutControls().Replace(caption, "");
        plain = DoubleQuotes().Replace(SingleQuotes().Replace(plain, "'"), "\"");
        plain = Ligatures().Replace(plain, match => s_ligatures[match.Value[0] - FirstLigature]);
        plain = Wide().Replace(plain, match => match.Value[0] == WideSpace ? " " : $"{(char)(match.Value[0] - FromWide)}");
        var resolved = WebUtility.HtmlDecode(WebUtility.HtmlDecode(plain));
        return PromptText.Normalize(Spaces().Replace(resolved, " "));
    }

    [GeneratedRegex("[\\x00-\\x08\\x0B\\x0E-\\x1F\\x7F\\u206A-\\u206F\\uFEFF\\uFFF9-\\uFFFC]", RegexOptions.CultureInvariant)]
    private static partial Regex WithoutControls();

    [GeneratedRegex("[\\u02BC\\u2018-\\u201B]", RegexOptions.CultureInvariant)]
    private static partial Regex SingleQuotes();

    [GeneratedRegex("[\\u201C-\\u201F]", RegexOptions.CultureInvariant)]
    private static partial Regex DoubleQuotes();

    [GeneratedRegex("[\\uFB00-\\uFB06]", RegexOptions.CultureInvariant)]
    private static partial Regex Ligatures();

    /// <summary>Latin characters as wide as Chinese ones.</summary>
    [GeneratedRegex("[\\uFF01-\\uFF5E\\u3000]", RegexOptions.CultureInvariant)]
    private static partial Regex Wide();

    [GeneratedRegex("\\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Spaces();
}

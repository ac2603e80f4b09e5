using Taba.Diffusion.Models.TextEncoders;

namespace Taba.Diffusion.Tests.Models.TextEncoders;

public sealed class PromptTextTests
{
    /// <summary>Expected values: Python 3.11's str.lower().strip().</summary>
    [Theory]
    [InlineData("", "")]
    [InlineData(" \t\n ", "")]
    [InlineData("  A Photo of a Cat \n", "a photo of a cat")]
    [InlineData("\u001C\u001F a \u0085\u2003", "a")]
    [InlineData("\u200Ba\u200B", "\u200Ba\u200B")]
    [InlineData("a  B", "a  b")]
    [InlineData("STRASSE \u1E9E", "strasse \u00DF")]
    [InlineData("\u0130stanbul", "i\u0307stanbul")]
    [InlineData("\u01C5", "\u01C6")]
    [InlineData("\u212A", "k")]
    [InlineData("\U00010400", "\U00010428")]
    public void Normalize_Text_AsPython(string prompt, string expected) => Assert.Equal(expected, PromptText.Normalize(prompt));

    [Theory]
    [InlineData("\u0391\u03A3", "\u03B1\u03C2")]
    [InlineData("\u0391\u03A3\u0391", "\u03B1\u03C3\u03B1")]
    [InlineData("\u03A3", "\u03C3")]
    [InlineData("\u03A3\u03A3", "\u03C3\u03C2")]
    [InlineData("\u0391\u03A3.", "\u03B1\u03C2.")]
    [InlineData("\u0391.\u03A3", "\u03B1.\u03C2")]
    [InlineData("'\u03A3", "'\u03C3")]
    [InlineData("1\u03A3", "1\u03C3")]
    [InlineData("\u00AA\u03A3", "\u00AA\u03C2")]
    [InlineData("\u0391\u03A3\u0301", "\u03B1\u03C2\u0301")]
    [InlineData("\u0391\u03A3\u0301\u0391", "\u03B1\u03C3\u0301\u03B1")]
    [InlineData("\U0001F130\u03A3", "\U0001F130\u03C2")]
    [InlineData("\u2168\u03A3", "\u2178\u03C2")]
    [InlineData(" \u0391\u03A3 \u0391", "\u03B1\u03C2 \u03B1")]
    public void Normalize_CapitalSigma_FinalFormAtTheEndOfAWordOnly(string prompt, string expected) =>
        Assert.Equal(expected, PromptText.Normalize(prompt));

    [Fact]
    public void Normalize_LoneSurrogate_ReplacementCharacter() => Assert.Equal("a\uFFFDb", PromptText.Normalize("a\uD800b"));
}

using Taba.Grains.Words;

namespace Taba.Grains.Tests.Words;

/// <summary>Text of others is harmless on a terminal.</summary>
public sealed class PrintableTests
{
    [Theory]
    [InlineData("\u001b[2Jred", @"\u001b[2Jred")]
    [InlineData("a\nb\r\0", @"a\nb\r\u0000")]
    [InlineData("\u009b31m\u007f", @"\u009b31m\u007f")]
    [InlineData("x\u202ecod.exe\u2066", @"x\u202ecod.exe\u2066")]
    [InlineData("a\u2028b", @"a\u2028b")]
    [InlineData("ünï 数据 👩‍🔬\tß", "ünï 数据 👩‍🔬\tß")]
    public void Line_WhatATerminalObeys_IsShown(string text, string expected) => Assert.Equal(expected, Printable.Line(text));

    [Fact]
    public void Line_HalvesOfPairs_AreShown() =>
        Assert.Equal(@"lone \ud800 and \udc00", Printable.Line($"lone {(char)0xd800} and {(char)0xdc00}"));

    [Fact]
    public void Lines_StayLines() => Assert.Equal("a\nb\\u001b", Printable.Lines("a\nb\u001b"));
}

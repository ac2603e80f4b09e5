using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Sweeps;

public sealed class RequesterTests
{
    [Theory]
    [InlineData("anna@node7", "anna@node7")]
    [InlineData("  Jürgen Müller@höst ", "Jürgen Müller@höst")]
    [InlineData("a\u001b[31mb\nc\0", "a[31mbc")]
    [InlineData("evil\u202Etxt", "eviltxt")]
    [InlineData("\ud800half", "half")]
    [InlineData("\r\n\t", null)]
    [InlineData("", null)]
    public void Clean_ANameFromAnywhere_HasNothingThatSteersATerminal(string name, string? expected) =>
        Assert.Equal(expected, Requester.Clean(name));

    [Fact]
    public void Clean_ALongName_IsBounded()
    {
        Assert.Equal(new string('x', Requester.MostCharacters), Requester.Clean(new string('x', 1_000_000)));
        // A character of two code units is whole or absent.
        Assert.Equal(Requester.MostCharacters - 1, Requester.Clean("y" + string.Concat(Enumerable.Repeat("😀", 100)))!.Length);
    }

    [Fact]
    public void OfProcess_NamesUserAndMachine() => Assert.Contains('@', Requester.OfProcess);
}

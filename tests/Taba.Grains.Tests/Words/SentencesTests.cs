using Taba.Grains.Words;

namespace Taba.Grains.Tests.Words;

public sealed class SentencesTests
{
    [Fact]
    public void Short_LongReason_EndsBetweenWordsAndShowsIt()
    {
        var reason = string.Join(' ', Enumerable.Repeat("three", 60));

        var cut = Sentences.Short(reason);

        Assert.InRange(cut.Length, 190, Sentences.MostReason);
        Assert.EndsWith("three ...", cut, StringComparison.Ordinal);
        Assert.Equal(cut, Sentences.Bare(cut));
    }

    [Fact]
    public void Short_OneLongWord_IsCutWithinIt() =>
        Assert.Equal(new string('x', Sentences.MostReason - 4) + " ...", Sentences.Short(new string('x', 1000)));

    [Fact]
    public void Short_ShortReason_IsLeft() => Assert.Equal("the disk is full.", Sentences.Short("the disk is full."));

    [Fact]
    public void Bare_FullStops_AreTakenAway() => Assert.Equal("the disk is full", Sentences.Bare("the disk is full..\n"));
}

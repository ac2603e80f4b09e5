using System.Collections.Immutable;
using Taba.Grains.Faults;
using Taba.Grains.Stages;

namespace Taba.Grains.Tests.Faults;

/// <summary>The table of docs/design/blame.md: whose fault it is that attempts end with their hosts.</summary>
public sealed class BlameRulesTests
{
    const int Strikes = 3;

    [Fact]
    public void Suspects_StrikesOfPartsThatOverlap_AreTheRowsThatHadThemAll()
    {
        ImmutableArray<LostAttempt> lost = [Death(0, 32), Death(0, 32), Death(8, 40)];
        Assert.Equal(TestStages.Rows(8, 32), Blame.Suspects(lost, Strikes, othersLive: false));
        Assert.Equal(RowSet.Empty, Blame.Suspects([lost[0], lost[1], Death(8, 40) with { Strike = false }], Strikes, othersLive: false));
    }

    [Fact]
    public void Suspects_OfOneHost_AreNoneWhereAnotherCanBeAsked()
    {
        ImmutableArray<LostAttempt> lost = [Death(0, 32), Death(0, 32), Death(0, 32), Death(0, 32)];
        Assert.Equal(RowSet.Empty, Blame.Suspects(lost, Strikes, othersLive: true));
        Assert.Equal(TestStages.Rows(0, 32), Blame.Suspects(lost, Strikes, othersLive: false));
        lost = lost.Add(Death(16, 48) with { Host = "b" });
        Assert.Equal(TestStages.Rows(16, 32), Blame.Suspects(lost, Strikes, othersLive: true));
    }

    [Fact]
    public void WithJudged_RowsThatGotOnSince_DidNotKillWhatEndedBefore()
    {
        var now = Death(4, 8) with { Strike = false, Unjudged = true, Attempt = new("stage", 4, 9, Guid.NewGuid()) };
        var state = new StageState { Lost = [Alone(5, 6), Alone(7, 8), Alone(4, 8), Alone(9, 10) with { Host = "b" }, Death(0, 32), now] };

        // Row 5 is further than before, and the others are where they were.
        var judged = state.WithJudged(now, TestStages.Rows(5, 6), 3).Lost;

        Assert.Equal([false, true, true, true, true, false], judged.Select(l => l.Strike));
        Assert.False(judged[^1].Unjudged);
        Assert.All(state.WithJudged(now, RowSet.Empty, 0).Lost, l => Assert.True(l.Strike));
        // It was alone, and its host ended all the same: that host ends without the doing of what is alone there.
        var alone = now with { Alone = true };
        Assert.Equal(
            [false, false, false, true, true, false],
            (state with { Lost = state.Lost.Replace(now, alone) }).WithJudged(alone, TestStages.Rows(5, 6), 3).Lost.Select(l => l.Strike));
    }

    [Fact]
    public void Suspects_OneDeathAlone_IsEnough() =>
        Assert.Equal(TestStages.Rows(0, 32), Blame.Suspects([Alone(0, 32)], Strikes, othersLive: true));

    [Fact]
    public void Pieces_OfWhatDiedAlone_AreHalvesAndTheLeastDeadlyComesFirst()
    {
        ImmutableArray<LostAttempt> lost = [Alone(0, 32), Alone(0, 16)];
        Assert.Equal([new(16, 32), new(0, 8), new(8, 16)], Blame.Pieces(lost, TestStages.Rows(0, 32), 32));
    }

    [Fact]
    public void Pieces_OfWhatOnlyDiedWithOthers_AreWholeParts() =>
        Assert.Equal([new(0, 32), new(32, 40)], Blame.Pieces([Death(0, 40)], TestStages.Rows(0, 40), 32));

    [Theory]
    // Not enough.
    [InlineData("a:5-6", "", false, FaultOwner.Attempt)]
    [InlineData("a:0-32 a:0-16 a:5-6", "", false, FaultOwner.Attempt)]
    // One host, of which nothing else is known: as often as before rows are suspect, and only where no other lives.
    [InlineData("a:5-6 a:5-6", "", false, FaultOwner.Attempt)]
    [InlineData("a:5-6 a:5-6 a:5-6", "", false, FaultOwner.Row)]
    [InlineData("a:5-6 a:5-6 a:5-6", "", true, FaultOwner.Attempt)]
    // It published something after the first of them.
    [InlineData("a:5-6 +a a:5-6", "", false, FaultOwner.Row)]
    [InlineData("a:0-32 +a a:5-6 a:5-6", "", false, FaultOwner.Row)]
    // Not on one host's word, where another can be asked.
    [InlineData("a:0-32 +a a:5-6 +a a:5-6 +a a:5-6", "", true, FaultOwner.Attempt)]
    // Before, or another host did: that says nothing.
    [InlineData("+a a:5-6 a:5-6", "", false, FaultOwner.Attempt)]
    [InlineData("a:5-6 +b a:5-6", "", false, FaultOwner.Attempt)]
    // Two witnesses, as long as they do not die of everything.
    [InlineData("a:5-6 b:5-6", "", true, FaultOwner.Row)]
    [InlineData("a:5-6 b:5-6 b:40-41", "b", true, FaultOwner.Attempt)]
    [InlineData("a:5-6 b:5-6 b:40-41 +b", "", true, FaultOwner.Row)]
    // A host that dies of everything says nothing, however often.
    [InlineData("a:5-6 a:40-41 a:5-6 a:40-41 a:5-6 a:40-41", "a", false, FaultOwner.Attempt)]
    public void Of_DeathsAndWhatHostsPublished_IsWhoseFaultItIs(string story, string suspects, bool othersLive, FaultOwner owner)
    {
        var (lost, atWork) = (ImmutableArray<LostAttempt>.Empty, ImmutableArray<HostAtWork>.Empty);
        var epoch = 0;
        foreach (var word in story.Split(' '))
        {
            epoch++;
            if (word[0] == '+')
            {
                atWork = atWork.With(word[1..], epoch);
                continue;
            }
            var rows = word[2..].Split('-');
            lost = lost.Add(Alone(int.Parse(rows[0]), int.Parse(rows[1])) with
            {
                Host = word[..1],
                At = epoch,
                HostWorked = atWork.FirstOrDefault(h => h.Host == word[..1])?.Epoch ?? 0,
            });
        }

        Assert.Equal(owner, Blame.Of(5, lost, atWork, othersLive, Strikes));
        foreach (var host in new[] { "a", "b" })
            Assert.Equal(suspects.Contains(host), Blame.IsSuspect(host, lost, atWork));
    }

    [Theory]
    [InlineData(false, FaultOwner.Row)]
    [InlineData(true, FaultOwner.Attempt)]
    public void Of_TwoDevicesOfTheOnlyHost_AreTwoWitnesses(bool othersLive, FaultOwner owner) => Assert.Equal(
        owner, Blame.Of(5, [Alone(5, 6) with { Device = "cuda:0" }, Alone(5, 6) with { Device = "cuda:1" }], [], othersLive, Strikes));

    static LostAttempt Death(int start, int end) => new(new(start, end), "a:1@1", Strike: true, 0) { Host = "a" };

    static LostAttempt Alone(int start, int end) => Death(start, end) with { Alone = true };
}

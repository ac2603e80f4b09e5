using Microsoft.Extensions.Time.Testing;
using Taba.Silo.Models;

namespace Taba.Silo.Tests.Models;

public sealed class ModelPausesTests
{
    readonly FakeTimeProvider _time = new();
    readonly ModelPauses _pauses;

    public ModelPausesTests() => _pauses = new(_time);

    [Fact]
    public void Refused_AgainAndAgain_PausesTwiceAsLongUpToALimit()
    {
        var wanted = ModelPauses.Shortest;
        for (var i = 0; i < 10; i++)
        {
            _pauses.Refused("m", $"try {i}");
            Assert.Equal($"try {i}", _pauses.Reason("m"));
            _time.Advance(wanted - TimeSpan.FromMilliseconds(1));
            Assert.NotNull(_pauses.Reason("m"));
            _time.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Null(_pauses.Reason("m"));
            wanted = wanted * 2 < ModelPauses.Longest ? wanted * 2 : ModelPauses.Longest;
        }
        Assert.Equal(ModelPauses.Longest, wanted);
    }

    [Fact]
    public void Refused_PartsThatWereTakenTogether_AreOneTry()
    {
        for (var part = 0; part < 8; part++)
            _pauses.Refused("m", "not here");
        _time.Advance(ModelPauses.Shortest);
        Assert.Null(_pauses.Reason("m"));
    }

    [Fact]
    public void Served_AfterRefusals_IsAtOnceAndForgetsThem()
    {
        _pauses.Refused("m", "not here");
        _time.Advance(ModelPauses.Shortest);
        _pauses.Refused("m", "still not here");
        _pauses.Served("m");
        Assert.Null(_pauses.Reason("m"));

        _pauses.Refused("m", "gone again");
        _time.Advance(ModelPauses.Shortest);
        Assert.Null(_pauses.Reason("m"));
    }

    [Fact]
    public void Reason_OfAnotherModel_IsNone()
    {
        _pauses.Refused("m", "not here");
        Assert.Null(_pauses.Reason("n"));
    }
}

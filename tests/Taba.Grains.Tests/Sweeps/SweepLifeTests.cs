using CsCheck;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Sweeps;

/// <summary>What a sweep means and owes after an event, as a function of what it meant and owed.</summary>
public sealed class SweepLifeTests
{
    /// <summary>
    /// Phases by their first letter, and what is owed: listing, demands, reminders, withdrawals. A dash: the event means nothing.
    /// </summary>
    const string Table = """
        life  Submitted  Activated  Paused  Resumed  Cancelled  Finished  Listed  Demanded  Withdrawn  Forgotten  Unlisted
        U     R:ld       -          -       -        -          -         -       -         -          -          -
        R     R:ld       R:lr       P:l     -        E:lw       E:lw      -       -         -          R:lr       R:l
        R:ld  R:ld       R:ld       P:ld    -        E:lw       -         R:d     R:l       -          -          -
        R:d   R:ld       R:ld       P:ld    -        E:lw       -         -       R         -          -          -
        R:lr  R:ld       R:lr       P:lr    -        E:lw       E:lw      R:r     R:l       -          -          -
        R:l   R:ld       R:lr       P:l     -        E:lw       E:lw      R       -         -          -          -
        P     R:ld       P:lr       -       R:l      E:lw       E:lw      -       -         -          P:lr       P:l
        P:ld  R:ld       P:ld       -       R:ld     E:lw       -         P:d     P:l       -          -          -
        P:lr  R:ld       P:lr       -       R:lr     E:lw       E:lw      P:r     P:l       -          -          -
        P:l   R:ld       P:lr       -       R:l      E:lw       E:lw      P       -         -          -          -
        E     R:ld       -          -       -        E:lw       -         -       -         -          -          E:lw
        E:lw  R:ld       -          -       -        E:lw       -         E:w     -         E:l        -          -
        E:l   R:ld       -          -       -        E:lw       -         E       -         -          -          -
        """;

    public static TheoryData<string, SweepEvent, string> Pairs
    {
        get
        {
            var rows = Table.Split('\n').Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToList();
            return [.. rows.Skip(1).SelectMany(r => r.Skip(1).Select((to, i) => (r[0], Enum.Parse<SweepEvent>(rows[0][i + 1]), to)))];
        }
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void After_AnyEvent_IsThatOfTheTable(string from, SweepEvent what, string to)
    {
        var life = Parse(from);
        var next = life.After(what);
        if (to == "-")
        {
            Assert.Equal(life, next);
            return;
        }
        Assert.Equal(to, Written(next));
        // Payments do not change what is meant.
        var pays = what is SweepEvent.Listed or SweepEvent.Demanded or SweepEvent.Withdrawn;
        Assert.Equal(pays ? life.Change : life.Change + 1, next.Change);
    }

    [Fact]
    public void Table_HasEveryPhaseWithEveryEvent() => Assert.Equal(
        Enum.GetValues<SweepPhase>().SelectMany(p => Enum.GetValues<SweepEvent>().Select(e => (p, e))).Order(),
        Pairs.Select(p => (Parse(p.Data.Item1).Phase, p.Data.Item2)).Distinct().Order());

    [Theory]
    [InlineData("R:ld", SweepDebts.Listing)]
    [InlineData("P:dr", SweepDebts.Demands)]
    [InlineData("R:r", SweepDebts.Reminders)]
    [InlineData("E:lw", SweepDebts.Withdrawals)]
    [InlineData("E:l", SweepDebts.Listing)]
    [InlineData("E", SweepDebts.None)]
    [InlineData("R", SweepDebts.None)]
    public void Next_SeveralDebts_IsTheIndexFirstForTheLivingAndLastForTheEnded(string life, SweepDebts next) =>
        Assert.Equal(next, Parse(life).Next);

    [Fact]
    public void After_WhatWasSeenBeforeANewIntent_MeansNothing()
    {
        var seen = Parse("R");
        var paused = seen.After(SweepEvent.Paused);
        Assert.All(
            [SweepEvent.Finished, SweepEvent.Listed, SweepEvent.Demanded, SweepEvent.Withdrawn],
            what => Assert.Equal(paused, paused.After(what, seen)));
        Assert.Equal(SweepDebts.None, paused.After(SweepEvent.Listed, paused).Owed);
    }

    [Theory]
    [InlineData(false, null, "R")]
    [InlineData(true, null, "P")]
    [InlineData(true, SweepState.Stopped, "E:lw")]
    public void Of_StateOfAnEarlierVersion_MayOweEverythingAtItsEnd(bool paused, SweepState? ended, string life) =>
        Assert.Equal(life, Written(SweepLife.Of(new() { Plan = TestStages.Plan("s"), Paused = paused, Ended = ended })));

    [Fact]
    public void In_EveryLife_IsReadAgain() => Assert.All(Pairs.Select(p => p.Data.Item1).Where(l => l != "U").Distinct(), text =>
    {
        var life = Parse(text);
        var state = new SweepGrainState { Plan = TestStages.Plan("s"), Elsewhere = ["x"] };
        if (life.Phase is SweepPhase.Ended)
            state = state with { Ended = SweepState.Completed };
        Assert.Equal(text, Written(SweepLife.Of(life.In(state))));
        Assert.Equal(["x"], life.In(state).Elsewhere.AsEnumerable());
    });

    /// <summary>
    /// Calls, payments of which any may fail in the middle, and crashes in any order: a stage that holds a demand of an ended sweep never
    /// stands beside an index that does not list it, for then nobody would wake the sweep. When nothing disturbs any more, everyone knows.
    /// </summary>
    [Fact]
    public void After_AnyStory_EveryoneKnowsInTheEnd() =>
        Gen.Select(Gen.Int[0, 99], Gen.Int[0, World.Stages], (what, reach) => (what, reach)).Array[0, 40].Sample(story =>
        {
            var world = new World();
            foreach (var (what, reach) in story)
            {
                if (what < 30)
                    world.Happen((SweepEvent)(what / 5));
                else if (what < 40)
                    world.Crash();
                else if (what < 50)
                    world.Interrupt((SweepEvent)(what % 6), reach);
                else
                    world.Pay(reach);
                world.Check();
            }
            for (var i = 0; i < 3; i++)
                world.Pay(World.Stages);
            world.CheckSettled();
        }, iter: 20_000);

    /// <summary>A sweep, and the index and stages as they have heard of it.</summary>
    sealed class World
    {
        public const int Stages = 3;

        SweepLife _life;
        SweepGrainState _written = new();
        int _submissions;
        bool? _listedPaused;
        readonly int[] _heard = new int[Stages];

        public void Happen(SweepEvent what, SweepLife? seen = null)
        {
            // Only a new activation is one.
            if (what is SweepEvent.Activated)
                return;
            var next = _life.After(what, seen);
            if (next == _life)
                return;
            var with = what switch
            {
                SweepEvent.Submitted => _written with { Plan = TestStages.Plan("s"), Ended = null },
                SweepEvent.Cancelled or SweepEvent.Finished => _written with { Ended = SweepState.Cancelled },
                _ => _written,
            };
            if (what is SweepEvent.Submitted)
                _submissions++;
            if (next.IsWorthWriting(_life, _written))
                _written = next.In(with);
            _life = next;
        }

        public void Crash() => _life = SweepLife.Of(_written).After(SweepEvent.Activated);

        /// <summary>Pays the next debt at so many stages, and all of it when that is everyone.</summary>
        public void Pay(int reach) => PayOf(_life, reach);

        /// <summary>Something happens while the next debt is being paid.</summary>
        public void Interrupt(SweepEvent what, int reach)
        {
            var life = _life;
            if (life.Next is SweepDebts.None)
                return;
            Tell(life, reach);
            Happen(what);
            Paid(life, reach);
        }

        public void Check()
        {
            if (!_life.IsLive && _heard.Any(h => h > 0))
                Assert.NotNull(_listedPaused);
        }

        public void CheckSettled()
        {
            Assert.Equal(SweepDebts.None, _life.Owed);
            Assert.Equal(SweepLife.Of(_written) with { Change = _life.Change }, _life);
            // A submission has reached everyone as such: what they had given up is tried again.
            Assert.All(_heard, h => Assert.Equal(_life.IsLive ? _submissions : 0, h));
            Assert.Equal(_life.IsLive ? _life.Phase is SweepPhase.Paused : null, _listedPaused);
        }

        void PayOf(SweepLife life, int reach)
        {
            Tell(life, reach);
            Paid(life, reach);
        }

        void Tell(SweepLife life, int reach)
        {
            if (life.Next is SweepDebts.Listing && reach > 0)
                _listedPaused = life.IsLive ? life.Phase is SweepPhase.Paused : null;
            for (var i = 0; i < reach; i++)
                _heard[i] = life.Next switch
                {
                    SweepDebts.Demands => _submissions,
                    SweepDebts.Reminders => Math.Max(_heard[i], 1),
                    SweepDebts.Withdrawals => 0,
                    _ => _heard[i],
                };
        }

        void Paid(SweepLife life, int reach)
        {
            if (reach < Stages && life.Next is not SweepDebts.Listing || reach == 0)
                return;
            if (life.Next is not SweepDebts.None)
                Happen(
                    life.Next switch
                    {
                        SweepDebts.Listing => SweepEvent.Listed,
                        SweepDebts.Withdrawals => SweepEvent.Withdrawn,
                        _ => SweepEvent.Demanded,
                    },
                    life);
        }
    }

    static SweepLife Parse(string text)
    {
        var parts = text.Split(':');
        var phase = Enum.GetValues<SweepPhase>().Single(p => p.ToString()[0] == parts[0][0]);
        return new(phase, parts.Skip(1).SelectMany(p => p).Aggregate(SweepDebts.None, (owed, letter) => owed | Debt(letter)), Change: 7);
    }

    static string Written(SweepLife life)
    {
        var owed = string.Concat("ldrw".Where(letter => life.Owes(Debt(letter))));
        return $"{life.Phase.ToString()[0]}{(owed.Length > 0 ? $":{owed}" : "")}";
    }

    static SweepDebts Debt(char letter) => letter switch
    {
        'l' => SweepDebts.Listing,
        'd' => SweepDebts.Demands,
        'r' => SweepDebts.Reminders,
        _ => SweepDebts.Withdrawals,
    };
}

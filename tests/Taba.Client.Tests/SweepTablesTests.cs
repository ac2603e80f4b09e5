using Taba.Client.Clusters;
using Taba.Client.Progress;
using Taba.Grains.Faults;
using Taba.Grains.Silos;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Client.Tests;

public sealed class SweepTablesTests
{
    [Fact]
    public void WriteStatus_SilosWithoutTheModel_AreNamedOnceEach()
    {
        var refusal = new ModelRefusal("w2", "model.json is another one");
        var stage = new StageStatus(
            "aa", StageKind.Sample, 64, RowSet.Empty, 0, 0, 0, 640, 0, [], "no silo can serve the model demo")
        { Refusals = [refusal] };
        var status = new SweepStatus("id", 1, SweepState.Running, [stage, stage with { Key = "bb" }], stage.Fault);
        var output = new StringWriter();

        Write(output, status);

        Assert.Equal(
            ["  silo w2 does not work on it: model.json is another one", "  waits and tries again: no silo can serve the model demo"],
            output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries)[^2..]);
    }

    [Fact]
    public void WriteStatus_HostThatWaits_SaysWhyHowOftenAndHowLong()
    {
        HostPause[] pauses =
        [
            new("gpu-3", "10.0.0.3:11111@7", "no space left on device", 4, TimeSpan.FromSeconds(15.2)),
            new("gpu-4", "10.0.0.4:11111@7", "it died", 1, TimeSpan.Zero),
            new("here", "127.0.0.1:1@1", "no space left on device", 1, TimeSpan.MaxValue),
        ];
        var stage = new StageStatus("aa", StageKind.Sample, 64, RowSet.Empty, 0, 0, 0, 640, 0, [], null) { Pauses = [.. pauses] };

        var output = new StringWriter();
        Write(output, new("id", 1, SweepState.Running, [stage], null));

        Assert.Equal(
            [
                "  host gpu-3 failed 4 times in a row and is asked again in 16 s: no space left on device",
                "  host gpu-4 failed and is asked again now: it died",
                "  host here failed and is asked again when the sweep is submitted again: no space left on device",
            ],
            output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries)[^3..]);
    }

    [Fact]
    public void WriteStatus_MoreFailuresThanReasons_SaysTheFirstAndHowManyThereAre()
    {
        var failed = new FailedRows(FailureKind.NonFinite, RowSet.Of(new RowRange(0, 5), new RowRange(8, 10)));
        var stage = new StageStatus(
            "aa", StageKind.Sample, 64, RowSet.Empty, 0, 7, 0, 640, 0, [new("aa", 0, 3, "NaN") { Kind = FailureKind.NonFinite }], null)
        {
            Failed = [failed],
        };

        var output = new StringWriter();
        Write(output, new("id", 1, SweepState.Running, [stage], null));

        Assert.Equal(
            ["  sample 0 of sample failed at step 3: NaN", "  7 samples of sample failed, for these reasons: rows [0, 5) [8, 10)"],
            output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries)[^2..]);
    }

    [Fact]
    public void WriteSilos_OfSeveralVersions_SaysWhichRunsWhat()
    {
        var newer = new ProgramVersion("9.9.9", ProgramVersion.Own.Numerics + 1);
        var own = $"{ProgramVersion.Own.Build}, numerics {ProgramVersion.Own.Numerics}";
        SiloInfo[] silos = [Silo("w1", ProgramVersion.Own), Silo("w2", newer), Silo("w3", ProgramVersion.Own), Silo("w4", null)];

        var mixed = Lines(silos);
        Assert.EndsWith($"  {own}", mixed[1], StringComparison.Ordinal);
        Assert.Equal(
            $"The silos run different versions: {own} on w1, w3; 9.9.9, numerics {newer.Numerics} on w2; unknown on w4.", mixed[^1]);

        Assert.Equal(2, Lines(silos[0]).Count);
        Assert.Contains("no silo computes what it plans", Lines(silos[1])[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void WriteSilos_WhatEachDoes_StandsInItsLineAndWhyItIdlesBelow()
    {
        var (busy, idle) = (Silo("w1", ProgramVersion.Own), Silo("w2", ProgramVersion.Own));
        var fares = new Dictionary<string, SiloStanding>
        {
            ["w1"] = Fare(busy, new(0.9f, 0.03f, 0, 0, 0, 0.07f, 0.8f, 10), 210, null) with { Age = TimeSpan.FromSeconds(34) },
            ["w2"] = Fare(idle, new(0, 0, 0, 0, 0, 1, null, 10), 0, "There is no work: no sweep lives."),
        };
        var output = new StringWriter();
        SweepTables.WriteSilos(output, [busy, idle], fares);

        var lines = output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, l => Assert.True(l.Length <= 100, l));
        Assert.Matches("^w1 +worker +cpu .* 93 % +210 +3  ", lines[1]);
        Assert.Equal(["w1: It has said nothing for 34 s.", "w2: cpu idles. There is no work: no sweep lives."], lines[^2..]);
    }

    [Fact]
    public void WriteList_SweepsOfEveryState_FitsAHundredColumns()
    {
        SweepEntry[] sweeps =
        [
            new("3f9ab0c1d2e3f405", "forward-replacement-over-everything", 5, false, DateTimeOffset.UnixEpoch, null, null)
            {
                User = "anna@node7", Progress = new("3f9ab0c1d2e3f405", 1, 470, 1000, 0, 1234.6, TimeSpan.FromHours(12.2), 12),
            },
            new("aa9ab0c1d2e3f405", "small", 0, true, DateTimeOffset.UnixEpoch, null, null),
            new("bb9ab0c1d2e3f405", "done", 0, false, DateTimeOffset.UnixEpoch, SweepState.CompletedWithFailures, DateTimeOffset.UnixEpoch)
            {
                User = new string('u', 60), Progress = new("bb9ab0c1d2e3f405", 1, 1000, 1000, 3, 10, TimeSpan.Zero, 0),
            },
        ];
        var output = new StringWriter();
        SweepTables.WriteList(output, sweeps);

        var lines = output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, l => Assert.True(l.Length <= 100, $"{l.Length}: {l}"));
        Assert.Equal(
            ["id", "name", "state", "done", "per s", "left", "lost", "prio", "user"],
            lines[0].Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        Assert.Matches(@"^3f9ab0c1  forwa\.\.\.  running +47 % +1,235 +12 h 12 min +12 +5  anna@node7$", lines[1]);
        Assert.Matches("^aa9ab0c1  small +paused +0$", lines[2]);
        Assert.Matches("^bb9ab0c1  done +completed with failures +100 % +0  u+", lines[3]);
    }

    [Fact]
    public void WriteStatus_OfManyStages_FoldsThemByKindUnlessAllAreWanted()
    {
        var stage = new StageStatus("k", StageKind.Sample, 64, RowSet.Empty, 0, 0, 0, 640, 0, [], null);
        var status = new SweepStatus(
            "id", 1, SweepState.Running,
            [
                .. Enumerable.Range(0, 30).Select(i => stage with
                {
                    Key = $"k{i:00}", PartsLeased = i % 2, Done = i == 0 ? TestRows(64) : RowSet.Empty,
                }),
            ], null)
        { User = "anna@node7", SubmittedAt = DateTimeOffset.UnixEpoch };

        var folded = Written(status, all: false);
        Assert.Equal("  submitted 1970-01-01 00:00:00 UTC by anna@node7", folded[1]);
        Assert.Matches(@"^  sample \(30 stages\) +64/1920 +0/19,200  1 done, 15 running, 14 waiting$", folded[3]);
        Assert.Equal(30, Written(status, all: true).Count(l => l.StartsWith("  sample", StringComparison.Ordinal) && l.Contains("/64")));
    }

    static RowSet TestRows(int count) => RowSet.Of(new RowRange(0, count));

    static void Write(TextWriter output, SweepStatus status) => SweepTables.WriteStatus(
        output, new("id", "tiny", [], []), status, new Dictionary<string, string> { ["aa"] = "sample" }, WaitKnowledge.None, all: false);

    static List<string> Written(SweepStatus status, bool all)
    {
        var output = new StringWriter();
        SweepTables.WriteStatus(output, new("id", "tiny", [], []), status, new Dictionary<string, string>(), WaitKnowledge.None, all);
        return [.. output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries)];
    }

    static SiloStanding Fare(SiloInfo silo, FarePoint last, double rate, string? idle) => new(
        new(silo, "host", TimeSpan.FromHours(1), [new("cpu", Works: true, default)]) { PartsHeld = 3 }, TimeSpan.FromSeconds(1),
        [new("cpu", last, rate, idle is null ? null : IdleKind.NoWork, idle)]);

    static SiloInfo Silo(string name, ProgramVersion? version) =>
        new(name, name, SiloRole.Worker, "cpu", 0, 16) { Version = version };

    static List<string> Lines(params SiloInfo[] silos)
    {
        var output = new StringWriter();
        SweepTables.WriteSilos(output, silos, new Dictionary<string, SiloStanding>());
        return [.. output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries)];
    }
}

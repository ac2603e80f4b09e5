using Taba.Client.Clusters;
using Taba.Grains.Faults;
using Taba.Grains.Silos;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Client.Tests;

public sealed class SweepTextTests
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

        SweepText.WriteStatus(output, status, new Dictionary<string, string>());

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
        SweepText.WriteStatus(output, new("id", 1, SweepState.Running, [stage], null), new Dictionary<string, string>());

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
        SweepText.WriteStatus(
            output, new("id", 1, SweepState.Running, [stage], null), new Dictionary<string, string> { ["aa"] = "sample" });

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
        Assert.EndsWith($"16     {own}", mixed[1], StringComparison.Ordinal);
        Assert.Equal(
            $"The silos run different versions: {own} on w1, w3; 9.9.9, numerics {newer.Numerics} on w2; unknown on w4.", mixed[^1]);

        Assert.Equal(2, Lines(silos[0]).Count);
        Assert.Contains("no silo computes what it plans", Lines(silos[1])[^1], StringComparison.Ordinal);
    }

    static SiloInfo Silo(string name, ProgramVersion? version) =>
        new(name, name, SiloRole.Worker, "cpu", 0, 16) { Version = version };

    static List<string> Lines(params SiloInfo[] silos)
    {
        var output = new StringWriter();
        SweepText.WriteSilos(output, silos);
        return [.. output.ToString().Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries)];
    }
}

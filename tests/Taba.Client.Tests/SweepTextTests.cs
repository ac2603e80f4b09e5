using Taba.Client.Clusters;
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
}

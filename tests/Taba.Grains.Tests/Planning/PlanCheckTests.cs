using Taba.Grains.Planning;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Planning;

public sealed class PlanCheckTests
{
    static readonly SweepPlan s_good = TestStages.Chain("3f9a", 8) with { Runs = [Run("small_T10_forward-3", "samples")] };

    [Fact]
    public void Require_APlanOfThePlanner_IsTaken() => PlanCheck.Require(s_good, "3f9a");

    [Theory]
    [InlineData("../../etc")]
    [InlineData("a/b")]
    [InlineData(".hidden")]
    [InlineData("")]
    [InlineData("a\nb")]
    public void Require_IdThatIsNoName_IsRefused(string id) =>
        Assert.Contains("sweep id", Assert.Throws<BadInputException>(() => PlanCheck.Require(s_good with { SweepId = id }, id)).Message);

    [Fact]
    public void Require_IdOfAnotherGrain_IsRefused() => Assert.Throws<BadInputException>(() => PlanCheck.Require(s_good, "other"));

    [Theory]
    [InlineData("../out")]
    [InlineData("..")]
    [InlineData("/etc/cron.d")]
    [InlineData("a\\b")]
    public void Require_RunThatLeadsOutOfItsFolder_IsRefused(string slug)
    {
        var exception = Assert.Throws<BadInputException>(
            () => PlanCheck.Require(s_good with { Runs = [Run(slug, "samples")] }, s_good.SweepId));
        Assert.Contains(slug, exception.Message);
    }

    [Fact]
    public void Require_TensorThatLeadsOutOfItsFolder_IsRefused() =>
        Assert.Contains("../noise", Assert.Throws<BadInputException>(
            () => PlanCheck.Require(s_good with { Runs = [Run("run", "../noise")] }, s_good.SweepId)).Message);

    [Fact]
    public void Require_KeyOfOtherNumbers_IsRefused()
    {
        var stage = s_good.Stages[0];
        var forged = s_good with { Stages = [stage with { Spec = stage.Spec with { NumInferenceSteps = 50 } }, .. s_good.Stages.Skip(1)] };
        Assert.Contains(stage.Key, Assert.Throws<BadInputException>(() => PlanCheck.Require(forged, s_good.SweepId)).Message);
    }

    [Fact]
    public void Require_KeysOfAnotherVersion_AreTakenOnlyWhereSomeSiloComputesThem()
    {
        var newer = new ProgramVersion("9.9.9", ProgramVersion.Own.Numerics + 1);
        var plan = s_good with
        {
            Version = newer,
            Stages = [.. s_good.Stages.Select(s => s with { Key = StageKey.Of(s.Spec, newer.Numerics) })],
        };
        PlanCheck.Require(plan, plan.SweepId, ProgramVersion.Own.Numerics, newer.Numerics);

        var refused = Assert.Throws<BadInputException>(() => PlanCheck.Require(plan, plan.SweepId, ProgramVersion.Own.Numerics)).Message;
        Assert.Contains($"by Taba 9.9.9, numerics {newer.Numerics}", refused, StringComparison.Ordinal);
        Assert.Contains($"computes numerics {ProgramVersion.Own.Numerics}:", refused, StringComparison.Ordinal);
        // The version that a plan claims does not make its keys.
        Assert.Throws<BadInputException>(() => PlanCheck.Require(s_good with { Version = newer }, s_good.SweepId, newer.Numerics));
    }

    [Fact]
    public void Require_AStageTwice_IsRefused() =>
        Assert.Contains("twice", Assert.Throws<BadInputException>(
            () => PlanCheck.Require(s_good with { Stages = [s_good.Stages[0], s_good.Stages[0]] }, s_good.SweepId)).Message);

    static PlannedRun Run(string slug, string tensor) =>
        new(slug, [], null, new(0, 8), TestStages.Model, [new(tensor, TestStages.Noise(1, 8), TensorKinds.None, [], new(3, 8, 8))]);
}

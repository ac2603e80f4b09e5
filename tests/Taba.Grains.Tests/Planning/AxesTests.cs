using Taba.Grains.Planning;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Grains.Tests.Planning;

/// <summary>The axes besides model, T and seed: T of inversion, and checkpoints.</summary>
public sealed class AxesTests
{
    static readonly SweepSpec s_again = SweepSpecs.Demo with
    {
        NumInferenceSteps = [100],
        InversionSteps = [10, 100, 1000],
        Interventions = [new(InterventionKind.Forward, 3, Seed: 42), new(InterventionKind.Forward, 3, Seed: 21)],
    };

    [Fact]
    public void Plan_OfInversionSteps_SamplesOnceAndInvertsAndReconstructsInEach()
    {
        var plan = s_again.Plan();

        var sample = Assert.Single(plan.Of(StageKind.Sample));
        Assert.Equal(100, sample.Spec.NumInferenceSteps);
        Assert.Equal([10, 10, 10, 100, 100, 100, 1000, 1000, 1000], plan.Of(StageKind.Invert).Select(s => s.Spec.NumInferenceSteps));
        Assert.All(plan.Of(StageKind.Invert), s => Assert.Equal(sample.Key, s.Spec.ParentKey));
        Assert.All(
            plan.Of(StageKind.Reconstruct),
            s => Assert.Equal(plan.Stage(s.Spec.ParentKey!).Spec.NumInferenceSteps, s.Spec.NumInferenceSteps));
        // 100 of sampling; 10, 100 and 1000 there and back, plain and for two forward seeds, less 3 replaced steps of the latter.
        Assert.Equal(256 * (100 + (3 * 2 * 1110) - (3 * 2 * 3)), plan.Evaluations);
    }

    [Fact]
    public void Plan_OfInversionSteps_NamesItsRunsByThemAndLeavesThoseOfOneTAsTheyWere()
    {
        var plan = (s_again with { Interventions = [] }).Plan();

        Assert.Equal(["demo_T100_inv10_seed420", "demo_T100_seed420", "demo_T100_inv1000_seed420"], plan.Runs.Select(r => r.Slug));
        Assert.Equal(["10", "100", "1000"], plan.Runs.Select(r => r.Axes.Single(a => a.Key == "inversion_steps").Value));
        var without = (s_again with { Interventions = [], InversionSteps = [] }).Plan();
        Assert.Equal(without.Runs[0].Slug, plan.Runs[1].Slug);
        Assert.Equal(
            without.Runs[0].Tensors.Select(t => (t.Name, t.Rows)), plan.Runs[1].Tensors.Select(t => (t.Name, t.Rows)));
        Assert.DoesNotContain(without.Runs[0].Axes, a => a.Key == "inversion_steps");
        // Two samplings are inverted in equally many steps: their stages have different names.
        var names = StageNames.Of((s_again with { NumInferenceSteps = [50, 100], Interventions = [] }).Plan());
        Assert.Equal(names.Count, names.Values.Distinct().Count());
    }

    [Fact]
    public void Plan_OfInversionSteps_KeepsTheStepsThatEachStageHas()
    {
        var plan = (s_again with
        {
            InversionSteps = [10],
            Interventions = [new(InterventionKind.Forward, 3)],
            Internal = InternalSelection.All,
        }).Plan();

        Assert.Equal(100, plan.Of(StageKind.Sample).Single().Keep.State.Length);
        Assert.Equal(Enumerable.Range(0, 10), plan.Of(StageKind.Invert).First().Keep.State);
        Assert.Equal(Enumerable.Range(3, 7), plan.Of(StageKind.Invert).Last().Keep.Eps);
        Assert.All(plan.Of(StageKind.Reconstruct), s => Assert.Equal(Enumerable.Range(0, 10), s.Keep.PredXstart));
        // Forward replacement keeps what the plain inversion keeps, from step K on.
        Assert.Equal(Enumerable.Range(3, 7), plan.Runs[1].Tensor("all_t_latents")!.Steps);
        Assert.Equal(
            plan.Runs[0].Tensors.Select(t => t.Name).Where(n => !n.EndsWith("_samples", StringComparison.Ordinal)),
            plan.Runs[1].Tensors.Select(t => t.Name));
    }

    [Fact]
    public void Plan_OfInversionStepsThatCannotBe_IsRefusedInOneSentence()
    {
        var swap = new Intervention(InterventionKind.SwapEps, 2);
        Assert.Contains(
            "both need one T, and here inversion_steps is 10 and num_inference_steps 100",
            (s_again with { Interventions = [swap] }).Refused(), StringComparison.Ordinal);
        Assert.Equal(2, (s_again with { Interventions = [swap], InversionSteps = [100] }).Plan().Runs.Length);
        Assert.Contains(
            "forward_before_t is 12: with 10 inference steps",
            (s_again with { Interventions = [new(InterventionKind.Forward, 12)] }).Refused(), StringComparison.Ordinal);
        Assert.Contains("cannot run 3 inference steps", (s_again with { InversionSteps = [3] }).Refused(), StringComparison.Ordinal);
        Assert.Contains(
            "needs the invert stage",
            (s_again with { WithInversion = false, WithReconstruction = false, Interventions = [] }).Refused(), StringComparison.Ordinal);
        Assert.Contains(
            "leave inversion_steps out", (s_again with { ImagesPath = "x.pt", WithSampling = false }).Refused(), StringComparison.Ordinal);
        Assert.Contains("given twice", (s_again with { InversionSteps = [10, 10] }).Refused(), StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_OfCheckpoints_IsATreeForEachUnderItsName()
    {
        var plan = (SweepSpecs.Plain with
        {
            Models = [.. new[] { "000000", "002500" }.Select(name => new ModelSelection("demo", $"{name}.pt") { Checkpoint = name })],
        }).Plan();

        Assert.Equal(["demo_000000_T10_seed420", "demo_002500_T10_seed420"], plan.Runs.Select(r => r.Slug));
        Assert.Equal(["000000", "002500"], plan.Runs.Select(r => r.Axes.Single(a => a.Key == "weights").Value));
        Assert.All(plan.Runs, run => Assert.Equal("demo", run.Axes[0].Value));
        Assert.Equal(2 * 3, plan.Stages.Length);
        Assert.Equal(["digest-of-000000.pt", "digest-of-002500.pt"], plan.Of(StageKind.Sample).Select(s => s.Spec.Model.Digest));
    }

    [Fact]
    public void Plan_OfGivenImagesUnderCheckpoints_InvertsThemWithEach()
    {
        var files = new FakeFiles().With("last.pt", "float32", 128, 3, 8, 8);
        var plan = (SweepSpecs.Plain with
        {
            Models = [.. new[] { "a", "b" }.Select(name => new ModelSelection("demo", $"{name}.pt") { Checkpoint = name })],
            ImagesPath = "last.pt",
            WithSampling = false,
        }).Plan(files);

        Assert.Empty(plan.Of(StageKind.Sample));
        Assert.Single(plan.Of(StageKind.Invert).Select(s => s.Spec.Input).Distinct());
        Assert.Equal(2, plan.Of(StageKind.Invert).Count());
    }
}

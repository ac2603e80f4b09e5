using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Planning;

/// <summary>Conditions, guidance, decoding and pictures in a plan.</summary>
public sealed class ConditionPlanTests
{
    static readonly SweepSpec s_classes = SweepSpecs.Plain with { Models = [new("classes")] };
    static readonly SweepSpec s_text = SweepSpecs.Plain with { Models = [new("text")] };
    static readonly SweepSpec s_ldm = SweepSpecs.Plain with { Models = [new("ldm")] };

    [Fact]
    public void Plan_ClassesNotGiven_DrawsThem()
    {
        var plan = (s_classes with { Conditions = new() { NPrompts = 8, NoisesPerPrompt = 2, CondSeed = 7 } }).Plan();
        Assert.All(plan.Stages, s => Assert.Equal(new DrawnClassRows(7, 2, "names", 16), s.Spec.Conditions));
        Assert.Equal(new RowRange(0, 16), plan.Stages[0].Rows);
        Assert.Equal(new DrawnClassRows(7, 2, "names", 16), plan.Runs[0].Tensor("conds")!.Rows);
        Assert.Null(plan.Runs[0].Tensor("conds")!.Shape);
    }

    [Fact]
    public void Plan_MoreClassesDrawn_KeepsTheStages()
    {
        SweepSpec Of(int prompts) => s_classes with { Conditions = new() { NPrompts = prompts } };
        Assert.Equal(Of(8).Plan().Stages.Select(s => s.Key), Of(64).Plan().Stages.Select(s => s.Key));
    }

    [Fact]
    public void Plan_Labels_AreListed()
    {
        var plan = (s_classes with { Conditions = new() { Labels = ["3", "9"], NoisesPerPrompt = 5 } }).Plan();
        var listed = Assert.IsType<ListedClassRows>(plan.Stages[0].Spec.Conditions);
        Assert.Equal([3L, 9L], listed.Ids);
        Assert.Equal(new RowRange(0, 10), plan.Stages[0].Rows);
    }

    [Fact]
    public void Plan_FileOfClasses_SaysHowManySamples()
    {
        var plan = (s_classes with { CondPath = "conds.pt" }).Plan(new FakeFiles().With("conds.pt", "int64", 24));
        Assert.All(plan.Stages, s => Assert.Equal(new RowRange(0, 24), s.Rows));
    }

    [Fact]
    public void Plan_Prompts_StandBesideTheTensors()
    {
        var plan = (s_text with { Conditions = new() { Prompts = "hobbit", NPrompts = 4, NoisesPerPrompt = 2 } }).Plan();
        Assert.Equal("hobbit", plan.Runs[0].Prompts!.Source);
        Assert.Null(plan.Runs[0].Tensor("conds"));
        Assert.All(plan.Stages.Where(s => s.Spec.HasSteps), s => Assert.IsType<PromptRows>(s.Spec.Conditions));
    }

    [Fact]
    public void Plan_GuidanceAxis_EachScaleItsRunAndTwiceTheEvaluations()
    {
        var plan = (s_classes with { GuidanceScales = [1, 4.5] }).Plan();
        Assert.Equal(["classes_T10_seed420", "classes_T10_gs4.5_seed420"], plan.Runs.Select(r => r.Slug));
        Assert.Equal([10, 20], plan.Of(StageKind.Sample).Select(s => s.Spec.EvaluationsPerRow));
        Assert.Contains(new("guidance_scale", "4.5"), plan.Runs[1].Axes);
    }

    [Fact]
    public void Plan_GuidanceOfOneOrLess_IsNone() =>
        Assert.Equal(
            (s_classes with { GuidanceScales = [0] }).Plan().Stages.Select(s => s.Key), s_classes.Plan().Stages.Select(s => s.Key));

    [Fact]
    public void Plan_LatentModel_DecodesSamplesAndReconstructions()
    {
        var plan = s_ldm.Plan();
        var (sample, reconstruct) = (plan.Of(StageKind.Sample).Single(), plan.Of(StageKind.Reconstruct).Single());
        var decodes = plan.Of(StageKind.Decode).ToList();
        Assert.Equal([new StageRows(sample.Key), new StageRows(reconstruct.Key)], decodes.Select(s => s.Spec.Input));
        Assert.All(decodes, s => Assert.Equal(new StateShape(3, 32, 32), s.Spec.ResultShape));
        Assert.All(decodes, s => Assert.Equal(1, s.Spec.EvaluationsPerRow));
        Assert.All(decodes, s => Assert.Equal("autoencoder-of-ldm", s.Spec.Model.Digest));
        Assert.Equal("samples", plan.Runs[0].Tensor("samples_decoded")!.DecodedFrom);
        Assert.Equal("samples2_decoded", plan.Runs[0].Pictures("samples2")!.Name);
        Assert.Equal(ImagePair.Decoded, plan.Runs[0].Images);
    }

    [Fact]
    public void Plan_OtherLatentFamily_HasItsOwnNames() =>
        Assert.NotNull((s_text with { Conditions = new() { Prompts = "null" } }).Plan().Runs[0].Tensor("decoded_samples2"));

    [Fact]
    public void Plan_WithoutDecoding_HasNoDecodeStages()
    {
        var plan = (s_ldm with { WithDecoding = false }).Plan();
        Assert.Empty(plan.Of(StageKind.Decode));
        Assert.Equal(ImagePair.States, plan.Runs[0].Images);
    }

    [Fact]
    public void Plan_SweepWithInterventions_DecodesTheSharedSamplesOnce()
    {
        var plan = (s_ldm with { Interventions = [new(InterventionKind.Forward, 1), new(InterventionKind.Forward, 3)] }).Plan();
        Assert.Equal(1 + 3, plan.Of(StageKind.Decode).Count());
    }

    [Fact]
    public void Plan_NoiseOfAnotherSize_LdmFollowsIt()
    {
        var plan = (s_ldm with { NoisePath = "noise.pt" }).Plan(new FakeFiles().With("noise.pt", "float32", 4, 3, 16, 16));
        Assert.Equal(new StateShape(3, 16, 16), plan.Of(StageKind.Sample).Single().Spec.ResultShape);
        Assert.Equal(new StateShape(3, 64, 64), plan.Of(StageKind.Decode).First().Spec.ResultShape);
    }

    [Fact]
    public void Plan_PicturesForALatentModel_AreEncodedFirst()
    {
        var plan = (s_ldm with { WithSampling = false, ImagesPath = "photo.png" }).Plan();
        var encode = plan.Of(StageKind.Encode).Single();
        Assert.Equal(new ImageRows("photo.png", "digest-of-photo.png", 128, 32, 32), encode.Spec.Input);
        Assert.Equal(new StateShape(3, 8, 8), encode.Spec.ResultShape);
        Assert.Equal(new StageRows(encode.Key), plan.Of(StageKind.Invert).Single().Spec.Input);
        Assert.Equal(new StageRows(encode.Key), plan.Runs[0].Tensor("samples")!.Rows);
    }

    [Fact]
    public void Plan_TensorOfPicturesForALatentModel_IsEncodedToo()
    {
        var plan = (s_ldm with { WithSampling = false, ImagesPath = "rgb.pt" }).Plan(
            new FakeFiles().With("rgb.pt", "float32", 5, 3, 32, 32));
        Assert.Equal(new FileRows("rgb.pt", "digest-of-rgb.pt", 5), plan.Of(StageKind.Encode).Single().Spec.Input);
    }

    [Fact]
    public void Plan_PicturesForAPixelModel_AreItsStates()
    {
        var plan = (SweepSpecs.Plain with { WithSampling = false, ImagesPath = "photo.png" }).Plan();
        Assert.Empty(plan.Of(StageKind.Encode));
        Assert.Equal(new ImageRows("photo.png", "digest-of-photo.png", 128, 8, 8), plan.Of(StageKind.Invert).Single().Spec.Input);
    }

    [Fact]
    public void Plan_ConsistentForward_IsInTheKeyWhereItChangesNumbers()
    {
        SweepSpec Of(SweepSpec spec, ForwardAlignment alignment) =>
            spec with { Interventions = [new(InterventionKind.Forward, 3)], ForwardAlignment = alignment };
        Assert.NotEqual(Keys(Of(s_ldm, ForwardAlignment.Upstream)), Keys(Of(s_ldm, ForwardAlignment.Consistent)));

        IEnumerable<string> Keys(SweepSpec spec) => spec.Plan().Of(StageKind.Invert).Select(s => s.Key);
    }
}

using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Planning;

/// <summary>What a sweep plans for analyses by networks.</summary>
public sealed class PictureStagesTests
{
    static readonly AnalysisRequest s_fid = new("fid", InParts: false)
    {
        Pictures = new(["inception"]) { OfSets = true, LeastReference = 2, LeastRows = 2, TakesStatistics = true },
    };

    static readonly AnalysisRequest s_kid = new("kid", InParts: false)
    {
        Pictures = new(["inception"]) { OfSets = true, LeastReference = 1000, LeastRows = 1000 },
    };

    static readonly AnalysisRequest s_dino = new("dino") { Pictures = new(["dino"]) { OfPairs = true } };

    static readonly AnalysisRequest s_lpips = new("lpips") { Pictures = new(["alexnet", "lpips"]) { OfPairs = true, LeastSide = 31 } };

    static readonly AnalysisRequest s_clip = new("clip-score") { Pictures = new(["clip"]) { OfPrompts = true } };

    static readonly SweepSpec s_many = SweepSpecs.Demo with
    {
        Samples = 4096,
        Analyses = [AnalysisRequest.Paper, s_fid, s_kid, s_dino],
        Features = new Dictionary<string, string> { ["inception"] = "a/inception.pth", ["dino"] = "a/dino" },
        ReferencePath = "50000",
    };

    [Fact]
    public void Plan_ManyRows_KeepsFeaturesOnceForAllRunsThatStartFromTheSamePictures()
    {
        var plan = s_many.Plan();

        var features = plan.Of(StageKind.Measure).Where(s => s.Spec.Measure!.KeepsFeatures).ToList();
        Assert.Equal(6, plan.Runs.Length);
        Assert.Equal(2, features.Count);
        var reference = features.Single(s => s.Spec.Measure!.IsOfReference);
        var ofRuns = features.Single(s => s != reference);
        Assert.Equal(new RowRange(0, 4096), ofRuns.Spec.Measure!.Rows);
        Assert.Equal([plan.Of(StageKind.Sample).Single().Key], ofRuns.Spec.InputKeys);
        Assert.Equal(new RowRange(0, 50000), reference.Spec.Measure!.Rows);
        Assert.Empty(reference.Spec.InputKeys);
        Assert.Equal(3056 * 3125, reference.Spec.ResultShape.Elements);
        Assert.Equal(0, features.Sum(s => s.Spec.EvaluationsPerRow));
        Assert.All(plan.Runs, run => Assert.Equal(
            [new("inception", false, ofRuns.Key), new("inception", true, reference.Key)], run.ByNetworks!.Stages));
    }

    [Fact]
    public void Plan_ManyRows_ComparesPairsInBlocksOfTheirOwn()
    {
        var plan = s_many.Plan();

        var stages = plan.Runs.Select(run => plan.Stage(run.ByNetworks!.MeasureKey!)).ToList();
        Assert.Equal(6, stages.DistinctBy(s => s.Key).Count());
        foreach (var (run, stage) in plan.Runs.Zip(stages))
        {
            Assert.NotEqual(run.MeasureKey, stage.Key);
            Assert.Equal(["dino"], stage.Spec.Measure!.Analyses);
            Assert.Equal(["dino"], stage.Spec.Measure.Features.Select(f => f.Network));
            Assert.Equal(["images", "reconstructed_images"], stage.Spec.Measure.Tensors.Select(t => t.Role));
            Assert.Equal(MeasureSetting.AllBlocks, stage.Rows);
        }
        Assert.Equal(["paper"], plan.Stage(plan.Runs[0].MeasureKey!).Spec.Measure!.Analyses);
    }

    [Fact]
    public void Plan_SameWeightsElsewhere_HasTheSameKeysAndOtherWeightsHaveOthers()
    {
        var elsewhere = Named("b/inception.pth", "b/dino");
        var others = Named("a/other.pth", "a/dino");

        Assert.Equal(Keys(s_many), Keys(elsewhere));
        var (before, after) = (Keys(s_many), Keys(others));
        Assert.Equal(2, before.Except(after).Count());
        Assert.Equal(before.Count, after.Count);
        Assert.Single(Keys(s_many).Except(Keys(s_many with { ReferencePath = "40000" })));

        static List<string> Keys(SweepSpec spec) => [.. spec.Plan().Of(StageKind.Measure).Select(s => s.Key)];

        static SweepSpec Named(string inception, string dino) =>
            s_many with { Features = new Dictionary<string, string> { ["inception"] = inception, ["dino"] = dino } };
    }

    [Fact]
    public void Plan_SeveralModels_ShareTheFeaturesOfTheReference()
    {
        var plan = (s_many with { Models = [new("demo"), new("other")] }).Plan();

        Assert.Equal(2, plan.Of(StageKind.Measure).Count(s => s.Spec.Measure is { KeepsFeatures: true, IsOfReference: false }));
        Assert.Single(plan.Of(StageKind.Measure), s => s.Spec.Measure!.IsOfReference);
    }

    [Fact]
    public void Plan_Deterministic_NamesTheKindOfDeviceWhereNetworksMeasure()
    {
        var plan = (s_many with { Deterministic = true }).Plan();

        var measures = plan.Of(StageKind.Measure).ToList();
        Assert.All(measures, s => Assert.Equal(s.Spec.Measure!.Features.IsDefault, s.Spec.Determinism is null));
        Assert.Empty(measures.Where(s => s.Spec.Determinism is not null).Select(s => s.Key).Intersect(
            s_many.Plan().Stages.Select(s => s.Key)));
    }

    [Fact]
    public void Plan_FewRows_LeavesThemToTheWriterButNotTheReference()
    {
        var plan = (s_many with { Samples = 2047 }).Plan();

        Assert.True(Assert.Single(plan.Of(StageKind.Measure)).Spec.Measure!.IsOfReference);
        Assert.Null(plan.Runs[0].ByNetworks!.MeasureKey);
        Assert.Equal(["dino", "inception"], plan.Runs[0].ByNetworks!.Features.Select(f => f.Network));
        Assert.Empty((s_many with { Samples = 2047, ReferencePath = "2047" }).Plan().Of(StageKind.Measure));
        Assert.Null(SweepSpecs.Demo.Plan().Runs[0].ByNetworks);
    }

    [Fact]
    public void Plan_Statistics_ServeFidWithoutAStageOfTheirOwn()
    {
        var plan = (s_many with { Analyses = [s_fid, s_dino], ReferencePath = "known.npz" }).Plan();

        Assert.DoesNotContain(plan.Of(StageKind.Measure), s => s.Spec.Measure!.IsOfReference);
        Assert.Equal("digest-of-known.npz", plan.Runs[0].ByNetworks!.Reference!.Digest);
    }

    [Fact]
    public void Plan_WhatCannotBeMeasured_IsRefused()
    {
        Dictionary<string, string> none = [];
        Assert.Contains("the weights of dino are not named: add features.dino: PATH", Refused([s_dino], none));
        Assert.Contains("alexnet and lpips", Refused([s_lpips], none));
        Assert.Contains("features names dino, by which no metric", Refused([s_fid], s_many.Features));
        Assert.Contains("features names inception", (s_many with { WithMetrics = false }).Refused());
        Assert.Contains("nothing to compare with", (s_many with { ReferencePath = null }).Refused());
        Assert.Contains("no metric compares with it", Refused([s_dino], new Dictionary<string, string> { ["dino"] = "d" }));
        Assert.Contains("holds statistics only", (s_many with { ReferencePath = "known.npz" }).Refused());
        Assert.Contains("needs 1000 pictures, and reference 999 has 999", (s_many with { ReferencePath = "999" }).Refused());
        Assert.Contains("needs 1000 samples, and there are 256", (s_many with { Samples = 256 }).Refused());
        Assert.Contains("add the reconstruct stage", (s_many with { WithReconstruction = false }).Refused());
        var small = s_many with { ReferencePath = null, Analyses = [s_lpips] };
        Assert.Contains(
            "31 pixels or more, and those of model demo are 3x8x8",
            (small with { Features = new Dictionary<string, string> { ["alexnet"] = "a", ["lpips"] = "l" } }).Refused());
        var text = small with { Analyses = [s_clip], Features = new Dictionary<string, string> { ["clip"] = "c" } };
        Assert.Contains("model demo takes no text", text.Refused());
        Assert.Contains(
            "which are no pictures", (text with { Models = [new("text")], WithDecoding = false, Interventions = [] }).Refused());

        static string Refused(AnalysisRequest[] analyses, IReadOnlyDictionary<string, string> features) =>
            (s_many with { Analyses = analyses, Features = features }).Refused();
    }

    [Fact]
    public void Plan_Prompts_AreInTheKeyOfWhatComparesThem()
    {
        var spec = SweepSpecs.Plain with
        {
            Models = [new("text")],
            Samples = 4096,
            Analyses = [s_clip],
            Features = new Dictionary<string, string> { ["clip"] = "c" },
        };

        var measure = Assert.Single(spec.Plan().Of(StageKind.Measure)).Spec;
        Assert.NotNull(measure.Measure!.Prompts);
        Assert.Contains(StageKey.Fields(measure), f => f == ("prompts", "prompts digest-of-dataset"));
    }
}

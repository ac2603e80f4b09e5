using Taba.Grains.Planning;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests.Planning;

public sealed class SweepPlannerTests
{
    [Fact]
    public void Plan_Demo_SharesOneSamplingStage()
    {
        var plan = SweepSpecs.Demo.Plan();
        var sample = Assert.Single(plan.Of(StageKind.Sample));
        Assert.Equal(6, plan.Of(StageKind.Invert).Count());
        Assert.Equal(6, plan.Of(StageKind.Reconstruct).Count());
        Assert.All(plan.Of(StageKind.Invert), s => Assert.Equal(sample.Key, s.Spec.ParentKey));
        Assert.All(plan.Stages, s => Assert.Equal(new RowRange(0, 256), s.Rows));
    }

    [Fact]
    public void Plan_Demo_KeepsJustWhatTheSwapsNeed()
    {
        var plan = SweepSpecs.Demo.Plan();
        Assert.Equal(new CaptureSelection([], [7, 8, 9], []), plan.Of(StageKind.Sample).Single().Keep);
        Assert.All(plan.Stages.Where(s => s.Spec.Kind != StageKind.Sample), s => Assert.True(s.Keep.IsEmpty));
    }

    [Fact]
    public void Plan_Demo_CountsTheEvaluationsThatReachTheNetwork()
    {
        // 6 x (10 + 10), less the replaced inversion steps 1 + 3 + 5 and 1 + 3, plus one sampling of 10.
        Assert.Equal(117 * 256, SweepSpecs.Demo.Plan().Evaluations);
    }

    [Fact]
    public void Plan_Demo_HasARunForThePlainOneAndEachIntervention() => Assert.Equal(
        [
            "demo_T10_seed420", "demo_T10_seed420_forward_before1_seed999", "demo_T10_seed420_forward_before3_seed999",
            "demo_T10_seed420_forward_before5_seed999", "demo_T10_seed420_swap_eps_before1", "demo_T10_seed420_swap_eps_before3",
        ],
        SweepSpecs.Demo.Plan().Runs.Select(r => r.Slug));

    [Fact]
    public void Plan_Demo_EveryRunShowsTheSameSamplesAndItsOwnLatents()
    {
        var plan = SweepSpecs.Demo.Plan();
        Assert.Single(plan.Runs.Select(r => r.Tensor("samples")!.Rows).Distinct());
        Assert.Equal(6, plan.Runs.Select(r => r.Tensor("latents")!.Rows).Distinct().Count());
        Assert.Equal(6, plan.Runs.Select(r => r.Tensor("samples2")!.Rows).Distinct().Count());
        Assert.All(plan.Runs, r => Assert.Equal(TestStages.Noise(420, 256), r.Tensor("noise")!.Rows));
    }

    [Fact]
    public void Plan_AnySweep_PutsParentsBeforeChildren()
    {
        var plan = (SweepSpecs.Demo with { NumInferenceSteps = [10, 50], Seeds = [1, 2] }).Plan();
        var seen = new HashSet<string>();
        foreach (var stage in plan.Stages)
        {
            Assert.True(stage.Spec.ParentKey is null || seen.Contains(stage.Spec.ParentKey));
            Assert.True(seen.Add(stage.Key), "a stage is planned twice");
            Assert.Equal(StageKey.Of(stage.Spec), stage.Key);
        }
    }

    [Fact]
    public void Plan_SameSweepTwice_IsTheSameId()
    {
        Assert.Equal(SweepSpecs.Demo.Plan().SweepId, SweepSpecs.Demo.Plan().SweepId);
        Assert.NotEqual(SweepSpecs.Demo.Plan().SweepId, (SweepSpecs.Demo with { Samples = 128 }).Plan().SweepId);
        Assert.NotEqual(SweepSpecs.Demo.Plan().SweepId, (SweepSpecs.Demo with { Name = "another" }).Plan().SweepId);
        Assert.NotEqual(SweepSpecs.Demo.Plan().SweepId, (SweepSpecs.Demo with { Internal = InternalSelection.All }).Plan().SweepId);
    }

    [Fact]
    public void Plan_MoreSamples_AreMoreRowsOfTheSameStages()
    {
        var small = (SweepSpecs.Demo with { Samples = 128 }).Plan();
        var large = SweepSpecs.Demo.Plan();
        Assert.Equal(small.Stages.Select(s => s.Key), large.Stages.Select(s => s.Key));
        Assert.All(small.Stages, s => Assert.Equal(new RowRange(0, 128), s.Rows));
    }

    [Fact]
    public void Plan_AnInterventionMore_OnlyAddsStagesAndRuns()
    {
        var before = SweepSpecs.Demo.Plan();
        var after =
            (SweepSpecs.Demo with
            {
                Interventions =
                [.. SweepSpecs.Demo.Interventions, new(InterventionKind.Forward, 2, Seed: 999)]
            }).Plan();
        Assert.Empty(before.Stages.Select(s => s.Key).Except(after.Stages.Select(s => s.Key)));
        Assert.Empty(before.Runs.Select(r => r.Slug).Except(after.Runs.Select(r => r.Slug)));
        Assert.Equal(before.Stages.Length + 2, after.Stages.Length);
    }

    [Fact]
    public void Plan_Axes_AreMultiplied()
    {
        var plan =
            (SweepSpecs.Demo with { Models = [new("demo"), new("other")], NumInferenceSteps = [10, 50, 100], Seeds = [1, 2] }).Plan();
        Assert.Equal(2 * 3 * 2 * 6, plan.Runs.Length);
        Assert.Equal(2 * 3 * 2, plan.Of(StageKind.Sample).Count());
        var run = plan.Runs.Single(r => r.Slug == "other_T50_seed2_swap_eps_before3");
        Assert.Equal([new("model", "other"), new("num_inference_steps", "50"), new("seed", "2")], run.Axes.AsEnumerable());
        Assert.Equal(new Intervention(InterventionKind.SwapEps, 3), run.Intervention);
    }

    [Fact]
    public void Plan_TwoModelsOfOneName_AreToldApartByTheirDigests()
    {
        SweepPlan Of(params string[] models)
        {
            var spec = SweepSpecs.Plain with { NumInferenceSteps = [10], Seeds = [1] };
            return (spec with { Models = [.. models.Select(m => new ModelSelection(m))] }).Plan();
        }

        var plan = Of("a/twin", "demo", "b/twin");
        Assert.Equal(["twin-aaaaaaaa_T10_seed1", "demo_T10_seed1", "twin-bbbbbbbb_T10_seed1"], plan.Runs.Select(r => r.Slug));
        Assert.Equal(["twin-aaaaaaaa", "demo", "twin-bbbbbbbb"], plan.Runs.Select(r => r.Axes[0].Value));
        // Whatever the order; and alone a model has its own name.
        Assert.Equal(plan.Runs.Select(r => r.Slug).Order(), Of("b/twin", "a/twin", "demo").Runs.Select(r => r.Slug).Order());
        Assert.Equal(["twin_T10_seed1"], Of("a/twin").Runs.Select(r => r.Slug));
        Assert.Empty(Of("a/twin").Stages.Select(s => s.Key).Except(plan.Stages.Select(s => s.Key)));
        Assert.Contains("given twice", Assert.Throws<BadInputException>(() => Of("a/twin", "a/twin")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Plan_SweepsThatShareAModel_ShareItsSamplingStage() =>
        Assert.Equal(SweepSpecs.Plain.Plan().Stages[0].Key, SweepSpecs.Demo.Plan().Stages[0].Key);

    [Fact]
    public void Plan_InterventionOfNoSteps_IsThePlainRun()
    {
        var zero = new Intervention(InterventionKind.SwapEps, 0);
        var plan = (SweepSpecs.Plain with { WithPlainRun = false, Interventions = [zero] }).Plan();
        var run = Assert.Single(plan.Runs);
        Assert.Null(run.Intervention);
        Assert.Equal(SweepSpecs.Plain.Plan().Stages.Select(s => s.Key), plan.Stages.Select(s => s.Key));
        Assert.Single((SweepSpecs.Plain with { Interventions = [zero] }).Plan().Runs);
    }

    [Fact]
    public void Plan_WithoutThePlainRun_DoesNotInvertPlainly()
    {
        var plan = (SweepSpecs.Demo with { WithPlainRun = false }).Plan();
        Assert.Equal(5, plan.Runs.Length);
        Assert.Equal(5, plan.Of(StageKind.Invert).Count());
        Assert.DoesNotContain(plan.Of(StageKind.Invert), s => s.Spec is { Forward: null, Swap: null });
    }

    [Fact]
    public void Plan_Internal_NamesUpstreamsFilesWithTheStepsTheyHold()
    {
        var plan = (SweepSpecs.Demo with { Internal = InternalSelection.All }).Plan();
        var plain = plan.Runs[0];
        Assert.Equal(
            [
                "noise", "samples", "all_t_samples", "all_t_eps_samples", "all_t_pred_xstart_samples",
                "latents", "all_t_latents", "all_t_eps_latents", "all_t_pred_xstart_latents",
                "samples2", "all_t_samples2", "all_t_eps_samples2", "all_t_pred_xstart_samples2",
            ],
            plain.Tensors.Select(t => t.Name));
        Assert.Equal(Enumerable.Range(0, 10), plain.Tensor("all_t_eps_latents")!.Steps.AsEnumerable());
        // Forward replacement of 3 steps executes the last 7.
        var forward = plan.Runs.Single(r => r.Intervention is { Kind: InterventionKind.Forward, Before: 3 });
        Assert.Equal(Enumerable.Range(3, 7), forward.Tensor("all_t_latents")!.Steps.AsEnumerable());
        Assert.Null(forward.Tensor("all_t_samples"));
    }

    [Fact]
    public void Plan_SwapOfEveryStateByXt_TakesTheNoiseOfSampling()
    {
        var plan = (SweepSpecs.Plain with { Interventions = [new(InterventionKind.SwapXt, 10)] }).Plan();
        var swap = plan.Of(StageKind.Invert).Single(s => s.Spec.Swap is not null).Spec.Swap!;
        Assert.Equal(TestStages.Noise(420, 128), swap.Noise);
        Assert.Equal(Enumerable.Range(0, 9), plan.Of(StageKind.Sample).Single().Keep.State.AsEnumerable());
    }

    [Fact]
    public void Plan_SwapFromAFile_KeepsNothingOfSampling()
    {
        var files = new FakeFiles().With("eps.pt", "float32", 10, 128, 3, 8, 8);
        var plan = (SweepSpecs.Plain with { Interventions = [new(InterventionKind.SwapEps, 3, SwapPath: "eps.pt")] }).Plan(files);
        Assert.True(plan.Of(StageKind.Sample).Single().Keep.IsEmpty);
        Assert.Equal(new FileRows("eps.pt", "digest-of-eps.pt", 128), plan.Of(StageKind.Invert).Single(
            s => s.Spec.Swap is not null).Spec.Swap!.Source);
    }

    [Fact]
    public void Plan_Parts_AreEqualSlicesOfTheSameStages()
    {
        var parts = Enumerable.Range(0, 4).Select(i => (SweepSpecs.Plain with { NParts = 4, PartIdx = i }).Plan()).ToList();
        Assert.Equal([new(0, 32), new(32, 64), new(64, 96), new(96, 128)], parts.Select(p => p.Stages[0].Rows));
        Assert.Single(parts.Select(p => p.Stages[0].Key).Append(SweepSpecs.Plain.Plan().Stages[0].Key).Distinct());
        Assert.Equal(4, parts.Select(p => p.SweepId).Distinct().Count());
        Assert.All(parts.SelectMany(p => p.Runs), r => Assert.Equal(TestStages.Noise(420, 128), r.Tensor("noise")!.Rows));
    }

    [Fact]
    public void Plan_ImagesFromAFile_AreInvertedAndNothingIsSampled()
    {
        var files = new FakeFiles().With("images.pt", "float16", 48, 3, 8, 8);
        var plan = (SweepSpecs.Plain with { WithSampling = false, ImagesPath = "images.pt" }).Plan(files);
        Assert.Empty(plan.Of(StageKind.Sample));
        Assert.Equal(new FileRows("images.pt", "digest-of-images.pt", 48), plan.Of(StageKind.Invert).Single().Spec.Input);
        Assert.Equal(new RowRange(0, 48), plan.Stages[0].Rows);
        Assert.Null(plan.Runs[0].Tensor("noise"));
    }

    [Fact]
    public void Plan_NoiseFromAFile_IsSampledFrom()
    {
        var files = new FakeFiles().With("noise.npy", "float32", 64, 3, 8, 8);
        var plan = (SweepSpecs.Plain with { NoisePath = "noise.npy" }).Plan(files);
        Assert.Equal(new FileRows("noise.npy", "digest-of-noise.npy", 64), plan.Of(StageKind.Sample).Single().Spec.Input);
        Assert.Equal(new RowRange(0, 64), plan.Stages[0].Rows);
    }

    [Fact]
    public void Plan_ClassConditionalModel_TakesItsLabelsFromAFile()
    {
        var files = new FakeFiles().With("conds.pt", "int64", 128);
        var plan = (SweepSpecs.Plain with { Models = [new("classes")], CondPath = "conds.pt" }).Plan(files);
        Assert.All(plan.Stages, s => Assert.Equal("digest-of-conds.pt", Assert.IsType<FileRows>(s.Spec.Conditions).Digest));
        Assert.NotNull(plan.Runs[0].Tensor("conds"));
    }

    [Fact]
    public void Plan_Deterministic_PinsTheBatchAndTheDevice()
    {
        var plan = (SweepSpecs.Plain with { Deterministic = true, BatchSize = 4 }).Plan();
        Assert.All(plan.Stages, s => Assert.Equal(new DeterminismSetting(16, "cpu"), s.Spec.Determinism));
        Assert.NotEqual(SweepSpecs.Plain.Plan().Stages[0].Key, plan.Stages[0].Key);
    }

    [Fact]
    public void Plan_BatchSizeFormatAndDevice_AreNotInTheKeys()
    {
        var changed =
            SweepSpecs.Plain with { BatchSize = 3, Format = TensorFormat.Npy, Device = "cuda", WithMetrics = false, FlatOutput = true };
        Assert.Equal(SweepSpecs.Plain.Plan().Stages.Select(s => s.Key), changed.Plan().Stages.Select(s => s.Key));
    }

    [Fact]
    public void Plan_Twice_WithOnePlanner_DoesNotMixThem()
    {
        var planner = new SweepPlanner(new FakeModels(), new FakeFiles(), "cpu");
        planner.Plan(SweepSpecs.Demo);
        Assert.Equal(3, planner.Plan(SweepSpecs.Plain).Stages.Length);
    }

    [Fact]
    public void Plan_RunOfManyRows_IsMeasuredInBlocksOnceItsTensorsAreThere()
    {
        var plan = (SweepSpecs.Demo with { Samples = 4096 }).Plan();

        var measures = plan.Of(StageKind.Measure).ToList();
        Assert.Equal(plan.Runs.Select(r => r.MeasureKey), measures.Select(s => s.Key));
        Assert.Equal(117 * 4096, plan.Evaluations);
        foreach (var (run, stage) in plan.Runs.Zip(measures))
        {
            Assert.Equal(new RowRange(0, 16), stage.Rows);
            Assert.Equal(["paper"], stage.Spec.Measure!.Analyses);
            Assert.Equal(
                new[] { "samples", "latents", "samples2" }.Select(name => ((StageRows)run.Tensor(name)!.Rows).Key).Order(),
                stage.Spec.InputKeys.Order());
            Assert.Equal(((StageRows)run.Tensor("samples2")!.Rows).Key, stage.Spec.ParentKey);
        }
    }

    [Fact]
    public void Plan_FewRowsOrNothingToMeasureInParts_LeavesItToTheWriterOfTheFolder()
    {
        var many = SweepSpecs.Demo with { Samples = 4096 };
        Assert.Empty((many with { Samples = 2047 }).Plan().Of(StageKind.Measure));
        Assert.Empty((many with { WithMetrics = false }).Plan().Of(StageKind.Measure));
        Assert.Empty((many with { Analyses = [new("svcca", InParts: false)] }).Plan().Of(StageKind.Measure));
        Assert.Empty(
            (many with { WithInversion = false, WithReconstruction = false, Interventions = [] }).Plan().Of(StageKind.Measure));
    }

    [Theory]
    [InlineData(3, 256, true)]
    [InlineData(16, 64, true)]
    [InlineData(16, 96, false)]
    [InlineData(3, 512, false)]
    public void Of_RowsWhoseCovariancesTakeSeveralPasses_AreLeftToTheWriter(int channels, int side, bool inBlocks)
    {
        var shape = new StateShape(channels, side, side);
        var run = new PlannedRun(
            "r", [], null, new(0, 4096), TestStages.Model,
            [new("latents", new StageRows("l"), TensorKinds.None, [], shape)])
        { Analyses = [AnalysisRequest.Paper] };
        Assert.Equal(inBlocks, MeasureStages.Of(run, TestStages.Sample) is not null);
    }

    [Fact]
    public void Plan_MeasuredRun_HasAnotherKeyForOtherRowsAndOtherAnalyses()
    {
        var many = SweepSpecs.Demo with { Samples = 4096 };
        var keys = new[] { many, many with { Samples = 4128 }, many with { Analyses = [AnalysisRequest.Paper, new("geometry")] } }
            .Select(spec => spec.Plan().Runs[0].MeasureKey).ToList();
        Assert.Equal(3, keys.Distinct().Count());
        Assert.All(keys, Assert.NotNull);
    }

    [Fact]
    public void Plan_AnalysisOfStepsThatAreNotKept_IsRefused()
    {
        var spec = SweepSpecs.Demo with { Analyses = [AnalysisRequest.Paper, new("trajectories", InParts: false, OfSteps: true)] };
        Assert.Contains("metrics has trajectories, which is measured of every step", spec.Refused(), StringComparison.Ordinal);
        Assert.Contains("set internal to true", (spec with { Internal = InternalSelection.All with { Every = 2 } }).Refused());
        Assert.Equal(6, (spec with { Internal = InternalSelection.All }).Plan().Runs.Length);
    }
}

using Taba.Client.Sweeps;
using Taba.Grains;
using Taba.Grains.Sweeps;

namespace Taba.Client.Tests;

public sealed class SweepFileReaderTests
{
    static SweepSpec Parse(string yaml, params string[] overrides) =>
        SweepFileReader.Parse(yaml, "sweep.yaml", overrides.Select(SweepOverrides.Split));

    static string Refusal(string yaml, params string[] overrides) =>
        Assert.Throws<BadInputException>(() => Parse(yaml, overrides)).Message;

    [Fact]
    public void Parse_EverySection_FillsTheSpec()
    {
        var spec = Parse("""
            name: forward-replacement
            model: demo
            samples: 256
            seed: [420, 7]
            num_inference_steps: [10, 50]        # a list is an axis
            stages: [sample, invert]
            interventions:
              - swap: { type: [eps, xt], before: [1, 3] }
              - forward: { before: [1, 2], seed: 999 }
            internal: { steps: every 10, tensors: [xt, eps] }
            batch_size: auto
            metrics: [paper]
            noise: per-sample
            dtype: bfloat16
            format: npy
            deterministic: true
            device: cpu
            """);

        Assert.Equal("forward-replacement", spec.Name);
        Assert.Equal("demo", Assert.Single(spec.Models).NameOrPath);
        Assert.Equal(256, spec.Samples);
        Assert.Equal([420L, 7L], spec.Seeds);
        Assert.Equal([10, 50], spec.NumInferenceSteps);
        Assert.True(spec.WithSampling && spec.WithInversion && !spec.WithReconstruction && spec.WithPlainRun);
        Assert.Equal(
            ["swap_eps_before1", "swap_eps_before3", "swap_xt_before1", "swap_xt_before3", "forward_before1", "forward_before2"],
            spec.Interventions.Select(i => i.Slug));
        Assert.All(spec.Interventions.Where(i => i.Kind == InterventionKind.Forward), i => Assert.Equal(999, i.Seed));
        Assert.Equal(new InternalSelection(TensorKinds.State | TensorKinds.Eps, 10), spec.Internal);
        Assert.Null(spec.BatchSize);
        Assert.Equal(NoiseLayout.PerSample, spec.Noise);
        Assert.Equal(NoiseLayout.Upstream, spec.ForwardNoise);
        Assert.Equal(new PrecisionRequest(Dtype.BFloat16), spec.Precision);
        Assert.Equal(TensorFormat.Npy, spec.Format);
        Assert.True(spec.Deterministic);
        Assert.True(spec.WithMetrics);
        Assert.Equal("cpu", spec.Device);
    }

    [Fact]
    public void Parse_PathsInTheUsersFolder_AreReadAsAShellWould()
    {
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        var spec = Parse("model: [~/m, ~bob/m]\nweights: ~/w.pt\ninput_noise: ~", "input_images=~/pictures");
        Assert.Equal([$"{home}/m", "~bob/m"], spec.Models.Select(m => m.NameOrPath));
        Assert.Equal($"{home}/w.pt", spec.Models[0].WeightsPath);
        Assert.Equal($"{home}/pictures", spec.ImagesPath);
        Assert.Null(spec.NoisePath);
    }

    [Fact]
    public void Parse_NameAbsent_TakesTheFilesName() => Assert.Equal("sweep", Parse("model: demo").Name);

    [Fact]
    public void Parse_Override_ReplacesAndDescends()
    {
        var spec = Parse(
            "model: demo\ninterventions: [{ forward: { before: 1 } }]",
            "samples=64", "num_inference_steps=[10,50]", "interventions.0.forward.before=[2,4]", "internal.steps=every 5", "seed=3");

        Assert.Equal(64, spec.Samples);
        Assert.Equal([10, 50], spec.NumInferenceSteps);
        Assert.Equal([2, 4], spec.Interventions.Select(i => i.Before));
        Assert.Equal(5, spec.Internal.Every);
        Assert.Equal([3L], spec.Seeds);
    }

    [Fact]
    public void Parse_ImagesGiven_DoesNotSample()
    {
        var spec = Parse("model: demo\ninput_images: x.pt");
        Assert.False(spec.WithSampling);
        Assert.True(spec.WithInversion);
    }

    [Fact]
    public void Parse_DemoSweep_IsValid()
    {
        var root = Path.GetFullPath(Path.Combine(Testing.Fixtures.Root, "..", ".."));
        var spec = SweepFileReader.Read(Path.Combine(root, "configs", "demo.yaml"), []);
        Assert.Equal(2, spec.Interventions.Count);
        Assert.Equal(128, spec.Samples);
        Assert.Equal(["paper", "plain-areas"], spec.Analyses.Select(a => a.Name));
    }

    [Fact]
    public void Parse_MetricsByName_AreTheAnalysesOfMeasure()
    {
        var spec = Parse("model: demo\nmetrics: [paper, svcca, partners, trajectories]\ninternal: true");
        Assert.Equal(
            [
                new("paper"), new("svcca", InParts: false, OfAll: true), new("partners", OfAll: true),
                new("trajectories", InParts: false, OfSteps: true),
            ],
            spec.Analyses);
        Assert.False(Parse("model: demo\nmetrics: none").WithMetrics);
    }

    [Theory]
    [InlineData("model: demo\nmetrics: [paper, geometri]", "metrics is 'geometri': expected paper or")]
    [InlineData("model: demo\nsampels: 3", "sweep.yaml, line 2: 'sampels' is not known in a sweep. Did you mean samples?")]
    [InlineData("model: demo\ninterventions:\n  - forward: { befor: 3 }", "'befor' is not known in forward. Did you mean before?")]
    [InlineData("model: demo\nsamples: many", "samples is 'many': expected a whole number")]
    [InlineData("model: demo\nsamples: 3.5", "samples is '3.5': expected a whole number")]
    [InlineData("model: demo\nsamples: '3'", "expected a whole number")]
    [InlineData("model: demo\nsamples: 99999999999", "expected a whole number from -2147483648 to 2147483647")]
    [InlineData("model: demo\nseed: 18446744073709551615", "as a seed, torch takes 18446744073709551615 for -1: write that")]
    [InlineData("model: demo\nseed: 99999999999999999999", "from -9223372036854775808 to 9223372036854775807")]
    [InlineData("model: demo\nseed: 1,000", "seed is '1,000': expected a whole number")]
    [InlineData("model: demo\nseed: [1, 2\nsamples: 4", "not valid YAML")]
    [InlineData("model: demo\ninterventions:\n  - swap: { type: eps, before: [1, 3] \nmetrics: [paper]", "sweep.yaml, line ")]
    [InlineData("model: demo\nnum_inference_steps: {a: [1, 2]\nseed: 5", "not valid YAML")]
    [InlineData("model: demo\nsamples: [1, 2]", "samples is a list: expected a whole number")]
    [InlineData("model: demo\nseed: []", "seed is an empty list")]
    [InlineData("model: demo\ninternal: yes", "internal is 'yes': expected true or false")]
    [InlineData("model: demo\ninternal: { steps: some }", "expected all, or every N")]
    [InlineData("model: demo\nstages: [sample, inwert]", "expected sample or invert or reconstruct")]
    [InlineData("model: demo\nstages: [sample]\ninput_images: x.pt", "leave one of them out")]
    [InlineData("model: demo\ninterventions: [{ swap: { before: 1 }, forward: { before: 1 } }]", "either a swap or a forward")]
    [InlineData("model: demo\ninterventions: [{ swap: { type: eps } }]", "before is missing")]
    [InlineData("model: demo\ninterventions: { swap: { before: 1 } }", "expected a list of swap and forward")]
    [InlineData("model: demo\nmetrics: [fide]", "expected paper")]
    [InlineData("model: demo\nmodel: demo", "given twice")]
    [InlineData("samples: 3", "model is missing")]
    [InlineData("", "is empty")]
    [InlineData("- model: demo", "this is a list")]
    [InlineData("model: [demo", "not valid YAML")]
    [InlineData("model: demo\n---\nmodel: demo", "more than one document")]
    [InlineData("model: &m demo", "anchors")]
    [InlineData("model: demo\nname: *m", "aliases")]
    [InlineData("model: !!python/object demo", "tags")]
    [InlineData("model: [[[[[[[[[[[[[[[[demo]]]]]]]]]]]]]]]]", "nested more than")]
    public void Parse_WrongFile_SaysWhereAndWhatWouldDo(string yaml, string expected) =>
        Assert.Contains(expected, Refusal(yaml), StringComparison.Ordinal);

    [Theory]
    [InlineData("samples", "write key=value")]
    [InlineData("=3", "write key=value")]
    [InlineData("samples=x", "override samples=x")]
    [InlineData("interventions.4.forward.before=1", "no place in a list of 1")]
    [InlineData("samples.x=1", "there is no 'x' in '3'")]
    public void Parse_WrongOverride_IsNamed(string argument, string expected) =>
        Assert.Contains(
            expected, Refusal("model: demo\nsamples: 3\ninterventions: [{ forward: { before: 1 } }]", argument), StringComparison.Ordinal);

    [Fact]
    public void Parse_Network_FastPlainOrTheSilosOwn()
    {
        const string Sweep = "model: demo\nsamples: 3";

        Assert.Null(Parse(Sweep).Network);
        Assert.Equal(NetworkForm.Plain, Parse($"{Sweep}\nnetwork: plain").Network);
        Assert.Equal(NetworkForm.Fast, Parse($"{Sweep}\nnetwork: plain", "network=fast").Network);
        Assert.Contains("network is 'fastest': expected fast or plain", Refusal($"{Sweep}\nnetwork: fastest"), StringComparison.Ordinal);
    }

    [Fact]
    public void Read_LargeFile_IsRefusedBeforeItIsRead()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, new string('#', YamlText.MaxBytes + 1));
            Assert.Contains(
                "at most", Assert.Throws<BadInputException>(() => SweepFileReader.Read(path, [])).Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(path);
        }
    }
}

using Taba.Client.Sweeps;
using Taba.Grains;
using Taba.Grains.Sweeps;
using Taba.Testing;

namespace Taba.Client.Tests;

/// <summary>Conditions, guidance, alignment and decoding in sweep files, and the sweep files that are shipped.</summary>
public sealed class SweepFileConditionTests
{
    static readonly string s_configs = Path.GetFullPath(Path.Combine(Fixtures.Root, "..", "..", "configs"));

    static SweepSpec Parse(string yaml, params string[] overrides) =>
        SweepFileReader.Parse($"model: m\n{yaml}", "sweep.yaml", overrides.Select(SweepOverrides.Split));

    [Fact]
    public void Parse_EveryKey_FillsTheSpec()
    {
        var spec = Parse("""
            guidance_scale: [1, 4.5]
            cond_seed: 7
            n_prompts: 3
            noises_per_prompt: 5
            prompts: hobbit
            prompts_dataset_path: /data/recap
            labels: [golden retriever, 207]
            forward_alignment: consistent
            decode: false
            """);
        Assert.Equal([1, 4.5], spec.GuidanceScales);
        Assert.Equal((7L, 3, 5, "hobbit", "/data/recap"), (
            spec.Conditions.CondSeed, spec.Conditions.NPrompts, spec.Conditions.NoisesPerPrompt, spec.Conditions.Prompts,
            spec.Conditions.DatasetPath));
        Assert.Equal(["golden retriever", "207"], spec.Conditions.Labels);
        Assert.Equal(ForwardAlignment.Consistent, spec.ForwardAlignment);
        Assert.False(spec.WithDecoding);
        Assert.Equal("/data/prompts.pkl", Parse("input_prompts: /data/prompts.pkl").Conditions.PromptsPath);
    }

    [Fact]
    public void Parse_NoneOfTheKeys_HasTheDefaults()
    {
        var spec = Parse("");
        Assert.Equal([1.0], spec.GuidanceScales);
        Assert.Equal(new ConditionRequest(), spec.Conditions);
        Assert.Equal(ForwardAlignment.Upstream, spec.ForwardAlignment);
        Assert.True(spec.WithDecoding);
    }

    [Theory]
    [InlineData("prompts: null", "null")]
    [InlineData("prompts: 'null'", "null")]
    [InlineData("prompts: ~", "null")]
    [InlineData("prompts: None", "null")]
    [InlineData("prompts: ''", "null")]
    [InlineData("prompts: dataset", "dataset")]
    [InlineData("prompts: /data/mine.json", "/data/mine.json")]
    [InlineData("seed: 1", null)]
    public void Parse_Prompts_NullIsTheEmptyPrompt(string yaml, string? expected) => Assert.Equal(expected, Parse(yaml).Conditions.Prompts);

    [Fact]
    public void Parse_PromptsOverridden_AreTheOverride()
    {
        Assert.Equal("hobbit", Parse("prompts: dataset", "prompts=hobbit").Conditions.Prompts);
        Assert.Equal("null", Parse("prompts: dataset", "prompts=null").Conditions.Prompts);
        Assert.Equal([7.0], Parse("", "guidance_scale=7").GuidanceScales);
        Assert.False(Parse("", "decode=false").WithDecoding);
    }

    [Theory]
    [InlineData("stages: [sample, invert]", true)]
    [InlineData("stages: [sample, decode]", true)]
    [InlineData("stages: [sample, invert]\ndecode: false", false)]
    public void Parse_Stages_DecodeFollowsItsKey(string yaml, bool expected) => Assert.Equal(expected, Parse(yaml).WithDecoding);

    [Theory]
    [InlineData("guidance_scale: much", "guidance_scale is 'much': expected a number")]
    [InlineData("guidance_scale: .nan", "expected a number")]
    [InlineData("guidance_scale: nan", "expected a number")]
    [InlineData("guidance_scale: []", "guidance_scale is an empty list")]
    [InlineData("cond_seed: ten", "cond_seed is 'ten': expected a whole number")]
    [InlineData("n_prompts: [1, 2]", "n_prompts is a list: expected a whole number")]
    [InlineData("noises_per_prompt: 1.5", "expected a whole number")]
    [InlineData("labels: []", "labels is an empty list")]
    [InlineData("labels: [[1]]", "labels is a list: expected one word")]
    [InlineData("prompts: [a, b]", "prompts is a list: expected one word")]
    [InlineData("prompts_dataset: hobbit", "'prompts_dataset' is not known in a sweep. Did you mean prompts_dataset_path?")]
    [InlineData("forward_alignment: theirs", "expected upstream or consistent")]
    [InlineData("decode: maybe", "decode is 'maybe': expected true or false")]
    [InlineData("stages: [sample, decode]\ndecode: false", "stages has decode, and decode is false: leave one of them out")]
    public void Parse_WrongValue_SaysWhatWouldDo(string yaml, string expected) =>
        Assert.Contains(expected, Assert.Throws<BadInputException>(() => Parse(yaml)).Message, StringComparison.Ordinal);

    public static TheoryData<string> Shipped() =>
        [.. Directory.GetFiles(s_configs, "*.yaml").Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Shipped))]
    public void Read_ShippedFile_IsASweepOfItsNameThatSaysWhatItDoes(string file)
    {
        var path = Path.Combine(s_configs, file);
        Assert.Equal(Path.GetFileNameWithoutExtension(file), SweepFileReader.Read(path, []).Name);
        Assert.StartsWith("# ", File.ReadAllText(path), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ldm-forward.yaml", "ldm-celebahq-256", 10240, 6)]
    [InlineData("dit-forward.yaml", "dit-xl-2-256", 10240, 12)]
    [InlineData("if-swap.yaml", "if-i-xl", 8192, 5)]
    public void Read_PapersSweeps_HaveItsSizes(string file, string model, int samples, int interventions)
    {
        var spec = SweepFileReader.Read(Path.Combine(s_configs, file), []);
        Assert.Equal(model, spec.Models.Single().NameOrPath);
        Assert.Equal(samples, spec.Conditions.NPrompts is { } prompts ? prompts * spec.Conditions.NoisesPerPrompt : spec.Samples);
        Assert.Equal([50], spec.NumInferenceSteps);
        Assert.Equal(interventions, spec.Interventions.Count);
        Assert.True(spec is { WithSampling: true, WithInversion: true, WithReconstruction: true, WithPlainRun: true });
    }
}

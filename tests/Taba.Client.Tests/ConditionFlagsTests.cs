using Taba.Client.Commands;
using Taba.Testing.Client;
using static Taba.Client.Tests.FamilyCommandLine;

namespace Taba.Client.Tests;

/// <summary>Where classes and prompts come from, as flags.</summary>
public sealed class ConditionFlagsTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    [Theory]
    [InlineData(null)]
    [InlineData("dataset", "--prompts", "dataset")]
    [InlineData("null", "--prompts", "null")]
    [InlineData("null", "--prompts_dataset", "'null'")]
    [InlineData("null", "--prompts", "\"null\"")]
    [InlineData("null", "--prompts", "None")]
    [InlineData("null", "--prompts", "")]
    [InlineData("hobbit", "--prompts-dataset", "hobbit")]
    [InlineData("my.txt", "--prompts", "my.txt")]
    public void Prompts_OfEverySpelling_AreTheSource(string? expected, params string[] args) =>
        Assert.Equal(expected, Spec("if", UpstreamScript.Sample, args).Conditions.Prompts);

    [Fact]
    public void Prompts_Draw_IsWhatTheFlagsSay()
    {
        var conditions = Spec(
            "if", UpstreamScript.Sample, "--cond_seed", "7", "--n_prompts", "3", "--noises_per_prompt", "5", "--prompts_dataset_path",
            "recap.parquet").Conditions;
        Assert.Equal(
            (7L, 3, 5, "recap.parquet"), (conditions.CondSeed, conditions.NPrompts, conditions.NoisesPerPrompt, conditions.DatasetPath));
        Assert.Null(conditions.PromptsPath);
    }

    [Theory]
    [InlineData("dit", UpstreamScript.Sample)]
    [InlineData("adm", UpstreamScript.Sample)]
    [InlineData("dit", UpstreamScript.Forward, "--input_image_path", "photo.png")]
    [InlineData("adm", UpstreamScript.Swap, "--model", "m", "--input_image_path", "photo.png")]
    public void Labels_OfEveryScriptOfClasses_AreSplitAtCommas(string family, object script, params string[] args)
    {
        var conditions = Spec(
            family, (UpstreamScript)script, [.. args, "--labels", "golden retriever, 207", "--noises_per_prompt", "2"]).Conditions;
        Assert.Equal(["golden retriever", "207"], conditions.Labels);
        Assert.Equal(2, conditions.NoisesPerPrompt);
    }

    [Fact]
    public void Conditions_OfAdm_AreNotCounted()
    {
        var spec = Spec("adm", UpstreamScript.Sample, "--n_samples", "12");
        Assert.Equal(12, spec.Samples);
        Assert.Null(spec.Conditions.NPrompts);
    }

    [Fact]
    public void Labels_Empty_AreRefused() =>
        Assert.Contains("--labels is ','", Refusal("dit", UpstreamScript.Sample, "--labels", ","), StringComparison.Ordinal);

    [Theory]
    [InlineData("dit", UpstreamScript.Swap, "--input_cond_path", "conds", "--input_image_path")]
    [InlineData("dit", UpstreamScript.Forward, "--input_cond_path", "conds", "--input_image_path")]
    [InlineData("dit", UpstreamScript.Sample, "--input_cond_path", "conds", "--input_image_path")]
    [InlineData("if", UpstreamScript.Swap, "--input_prompts_path", "prompts.pkl", "--input_samples_path")]
    [InlineData("if", UpstreamScript.Forward, "--input_prompts_path", "prompts.pkl", "--input_samples_path")]
    public void GivenSamples_WithoutConditions_NameTheFlagAndTheFile(string family, object script, string flag, string file, string images)
    {
        var message = Refusal(family, (UpstreamScript)script, images, "s.pt");
        Assert.Contains($"{flag} is missing", message, StringComparison.Ordinal);
        Assert.Contains(file, message, StringComparison.Ordinal);
        Assert.Contains("sampling run", message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("swap", "dit", "--input_cond_path is missing", "--input_image_path", "s.pt")]
    [InlineData("forward", "if", "--input_prompts_path is missing", "--input_samples_path", "s.pt")]
    [InlineData("forward", "dit", "both replace", "--input_image_path", "s.pt", "--labels", "3", "--swap_before_t", "1",
        "--forward_before_t", "1")]
    [InlineData("sample", "dit", "n_prompts is 0: it must be at least 1", "--n_prompts", "0")]
    [InlineData("sample", "if", "noises_per_prompt is 0: it must be at least 1", "--noises_per_prompt", "0")]
    [InlineData("sample", "if", "it must be at most 100000000", "--n_prompts", "100000", "--noises_per_prompt", "100000")]
    [InlineData("sample", "dit", "--guidance_scale is 'nan': expected a number", "--guidance_scale", "nan")]
    [InlineData("sample", "dit", "guidance_scale is -1", "--guidance_scale=-1")]
    [InlineData("sample", "dit", "--guidance_scale is 'much': expected a number", "--guidance_scale", "much")]
    [InlineData("sample", "dit", "--guidance_scale is '7,5': expected a number, such as 7.5", "--guidance_scale", "7,5")]
    [InlineData("sample", "dit", "--guidance_scale is '1,000': expected a number", "--guidance_scale", "1,000")]
    [InlineData("sample", "dit", "--guidance_scale is '\u0667': expected a number", "--guidance_scale", "\u0667")]
    [InlineData("sample", "dit", "--cond_seed is '18446744073709551615'", "--cond_seed", "18446744073709551615")]
    [InlineData("sample", "dit", "--n_prompts is '1,0': expected a whole number", "--n_prompts", "1,0")]
    [InlineData("sample", "dit", "--n_prompts is '4294967297': expected a whole number from", "--n_prompts", "4294967297")]
    [InlineData("sample", "dit", "There is no file c.pt, which input_cond_path names", "--input_cond_path", "c.pt")]
    [InlineData("sample", "dit", "There is no file n.pt, which input_noise_path names", "--input_path", "n.pt")]
    [InlineData("sample", "dit", "labels and input_cond_path both give classes", "--labels", "3", "--input_cond_path", "HERE")]
    [InlineData("sample", "dit", "--decode and --no_decode say opposite things", "--decode", "--no_decode")]
    [InlineData("sample", "dit", "There is no option --n_samples", "--n_samples", "4")]
    [InlineData("sample", "if", "There is no file frodo", "--prompts", "frodo")]
    [InlineData("sample", "if", "There is no file my.txt", "--prompts_dataset", "my.txt")]
    [InlineData("sample", "if", "which prompts_dataset_path names", "--prompts_dataset_path", "recap")]
    [InlineData("sample", "if", "both give prompts", "--prompts", "hobbit", "--input_prompts_path", "HERE")]
    [InlineData("sample", "if", "--decode", "--decode")]
    [InlineData("sample", "ldm", "--forward_alignment", "--forward_alignment", "consistent")]
    [InlineData("forward", "ldm", "--forward_alignment is 'theirs': expected upstream or consistent", "--input_image_path", "s.pt",
        "--forward_alignment", "theirs")]
    public async Task Command_ThatCannotBe_IsRefusedBeforeAModelIsLookedFor(
        string verb, string family, string expected, params string[] args)
    {
        var file = _taba.Write("here.json", """["a"]""");
        var error = await _taba.RefuseAsync([verb, family, .. args.Select(a => a == "HERE" ? file : a), "--save_dir", _taba.At("out")]);
        Assert.Contains(expected, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sample", "ldm", "--n_samples 256")]
    [InlineData("sample", "dit", "--labels 'golden retriever,207,volcano'")]
    [InlineData("sample", "if", "--prompts hobbit")]
    [InlineData("swap", "dit", "--input_cond_path out/base/conds.pt")]
    [InlineData("forward", "if", "--input_prompts_path out/base/prompts.pkl")]
    public async Task Help_OfEveryFamily_HasExamples(string verb, string family, string expected)
    {
        await _taba.DoneAsync(verb, family, "--help");
        Assert.Contains("Examples:", _taba.Last.Output, StringComparison.Ordinal);
        Assert.Contains(expected, _taba.Last.Output, StringComparison.Ordinal);
    }
}

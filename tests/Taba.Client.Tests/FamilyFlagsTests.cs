using System.CommandLine;
using Taba.Client.Commands;
using Taba.Grains;
using Taba.Grains.Sweeps;

namespace Taba.Client.Tests;

/// <summary>The flags of every script of every family, with upstream's names and defaults (upstream-behaviour 2.1 to 2.3).</summary>
public sealed class FamilyFlagsTests
{
    static UpstreamArguments Read(string family, UpstreamScript script, params string[] args)
    {
        var common = new CommonFlags("pt");
        var output = new OutputFlags();
        var flags = new UpstreamFlags(script, UpstreamFamily.All.Single(f => f.Name == family), common, output);
        var command = new Command("x");
        foreach (var option in flags.All.Concat(common.All).Concat(output.All))
            command.Options.Add(option);
        var parsed = command.Parse(args);
        Assert.Empty(parsed.Errors);
        return flags.Read(parsed);
    }

    static SweepSpec Spec(string family, UpstreamScript script, params string[] args) => UpstreamTranslation.ToSpec(Read(family, script, args));

    [Theory]
    [InlineData("ldm", 100, 64, "ldm-celebahq-256")]
    [InlineData("dit", 50, 64, "dit-xl-2-256")]
    [InlineData("if", 50, 16, "if-i-xl")]
    public void Sample_WithoutFlags_HasUpstreamsDefaults(string family, int steps, int batch, string model)
    {
        var spec = Spec(family, UpstreamScript.Sample);
        Assert.Equal([steps], spec.NumInferenceSteps);
        Assert.Equal(batch, spec.BatchSize);
        Assert.Equal(model, spec.Models.Single().NameOrPath);
        Assert.Equal([1.0], spec.GuidanceScales);
        Assert.True(spec is { WithSampling: true, WithInversion: false, WithDecoding: true });
        if (family == "ldm")
            Assert.Equal(1024, spec.Samples);
        else
            Assert.Equal((128, 4, 10L), (spec.Conditions.NPrompts, spec.Conditions.NoisesPerPrompt, spec.Conditions.CondSeed));
    }

    [Theory]
    [InlineData("adm", UpstreamScript.Sample, "model_name num_inference_steps input_noise_path input_image_path with_inversion with_reconstruction internal seed batch_size n_samples n_parts part_idx save_dir num_processes")]
    [InlineData("adm", UpstreamScript.Forward, "model_name num_inference_steps batch_size input_image_path forward_before_t forward_seed n_parts part_idx seed internal with_reconstruction save_dir")]
    [InlineData("ldm", UpstreamScript.Sample, "num_inference_steps input_noise_path with_inversion with_reconstruction internal seed batch_size n_samples n_parts part_idx save_dir")]
    [InlineData("ldm", UpstreamScript.Swap, "num_inference_steps batch_size input_image_path seed internal with_reconstruction save_dir swap_path swap_before_t swap_type n_parts part_idx")]
    [InlineData("ldm", UpstreamScript.Forward, "num_inference_steps batch_size input_image_path forward_before_t forward_seed n_parts part_idx seed internal with_reconstruction save_dir")]
    [InlineData("dit", UpstreamScript.Sample, "seed noises_per_prompt n_prompts batch_size num_inference_steps guidance_scale cond_seed input_path input_cond_path internal with_inversion with_reconstruction save_dir")]
    [InlineData("dit", UpstreamScript.Swap, "num_inference_steps batch_size input_image_path input_cond_path guidance_scale seed internal with_reconstruction save_dir swap_path swap_before_t swap_type")]
    [InlineData("dit", UpstreamScript.Forward, "num_inference_steps batch_size input_image_path input_cond_path guidance_scale forward_before_t forward_seed seed internal with_reconstruction save_dir")]
    [InlineData("if", UpstreamScript.Sample, "seed noises_per_prompt n_prompts batch_size num_inference_steps guidance_scale cond_seed prompts prompts_dataset input_path internal with_inversion with_reconstruction save_dir")]
    [InlineData("if", UpstreamScript.Swap, "num_inference_steps batch_size input_samples_path input_prompts_path guidance_scale seed internal with_reconstruction save_dir swap_path swap_before_t swap_type")]
    [InlineData("if", UpstreamScript.Forward, "num_inference_steps batch_size input_samples_path input_prompts_path guidance_scale forward_before_t forward_seed seed internal with_reconstruction save_dir")]
    public void All_OfAScript_HasUpstreamsNamesInBothSpellings(string family, object script, string names)
    {
        var options = new UpstreamFlags((UpstreamScript)script, UpstreamFamily.All.Single(f => f.Name == family), new CommonFlags("pt"), new OutputFlags()).All.Concat(new OutputFlags().All);
        var spelled = options.SelectMany(o => o.Aliases.Append(o.Name)).ToHashSet();
        Assert.All(names.Split(' '), name => Assert.Contains($"--{name}", spelled));
        Assert.All(names.Split(' '), name => Assert.Contains($"--{name.Replace('_', '-')}", spelled));
    }

    [Fact]
    public void Sample_PromptSources_AreTaken()
    {
        Assert.Equal("null", Spec("if", UpstreamScript.Sample, "--prompts", "null").Conditions.Prompts);
        Assert.Equal("null", Spec("if", UpstreamScript.Sample, "--prompts_dataset", "'null'").Conditions.Prompts);
        Assert.Equal("null", Spec("if", UpstreamScript.Sample, "--prompts", "None").Conditions.Prompts);
        Assert.Equal("hobbit", Spec("if", UpstreamScript.Sample, "--prompts-dataset", "hobbit").Conditions.Prompts);
        Assert.Equal("my.txt", Spec("if", UpstreamScript.Sample, "--prompts", "my.txt").Conditions.Prompts);
        Assert.Null(Spec("if", UpstreamScript.Sample).Conditions.Prompts);
    }

    [Fact]
    public void Sample_Labels_AreSplit() =>
        Assert.Equal(["golden retriever", "207"], Spec("dit", UpstreamScript.Sample, "--labels", "golden retriever, 207").Conditions.Labels);

    [Fact]
    public void Swap_OfIf_TakesItsOwnNames()
    {
        var spec = Spec(
            "if", UpstreamScript.Swap, "--input_samples_path", "s.pt", "--input_prompts_path", "prompts.pkl", "--guidance_scale", "7", "--swap_path", "e.pt",
            "--swap_before_t", "3", "--swap_type", "eps");
        Assert.Equal(("s.pt", "prompts.pkl"), (spec.ImagesPath, spec.Conditions.PromptsPath));
        Assert.Equal([7.0], spec.GuidanceScales);
        Assert.Equal(new Intervention(InterventionKind.SwapEps, 3, SwapPath: "e.pt"), spec.Interventions.Single());
    }

    [Fact]
    public void Forward_Alignment_IsUpstreamsUnlessAskedFor()
    {
        string[] args = ["--input_image_path", "s.pt", "--input_cond_path", "c.pt", "--forward_before_t", "3"];
        Assert.Equal(ForwardAlignment.Upstream, Spec("dit", UpstreamScript.Forward, args).ForwardAlignment);
        Assert.Equal(ForwardAlignment.Consistent, Spec("dit", UpstreamScript.Forward, [.. args, "--forward_alignment", "consistent"]).ForwardAlignment);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(true, "--decode")]
    [InlineData(false, "--decode", "false")]
    public void Sample_Decode_IsOnUnlessSwitchedOff(bool expected, params string[] args) =>
        Assert.Equal(expected, Spec("ldm", UpstreamScript.Sample, args).WithDecoding);

    [Fact]
    public void Swap_WithoutSamples_NamesTheFlagOfItsFamily()
    {
        Assert.Contains("--input_samples_path", Assert.Throws<BadInputException>(() => Spec("if", UpstreamScript.Swap)).Message, StringComparison.Ordinal);
        Assert.Contains("--input_image_path", Assert.Throws<BadInputException>(() => Spec("dit", UpstreamScript.Swap)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dit", "dit")]
    [InlineData("if", "deepfloyd_if")]
    [InlineData("ldm", "celeba_ldm_256")]
    public void SaveDir_Default_LiesInTheFamilysFolder(string family, string folder) =>
        Assert.StartsWith(Path.Combine("experiments", folder, "sampling_invert_reconstruction", "seed_42_T_"), UpstreamFolders.SaveDir(Read(family, UpstreamScript.Sample)), StringComparison.Ordinal);
}

using System.CommandLine;
using Taba.Client.Commands;
using Taba.Grains;
using Taba.Grains.Sweeps;

namespace Taba.Client.Tests;

/// <summary>The flags of every script of every family, with upstream's names and defaults (docs/upstream.md, section 2).</summary>
public sealed class FamilyFlagsTests
{
    static UpstreamArguments Read(string family, UpstreamScript script, params string[] args) =>
        FamilyCommandLine.Read(family, script, args);

    static SweepSpec Spec(string family, UpstreamScript script, params string[] args) => FamilyCommandLine.Spec(family, script, args);

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
    [InlineData("adm", UpstreamScript.Sample,
        "model_name num_inference_steps input_noise_path input_image_path with_inversion with_reconstruction internal seed batch_size "
        + "n_samples n_parts part_idx save_dir num_processes")]
    [InlineData("adm", UpstreamScript.Forward,
        "model_name num_inference_steps batch_size input_image_path forward_before_t forward_seed n_parts part_idx seed internal "
        + "with_reconstruction save_dir")]
    [InlineData("ldm", UpstreamScript.Sample,
        "num_inference_steps input_noise_path with_inversion with_reconstruction internal seed batch_size n_samples n_parts part_idx "
        + "save_dir")]
    [InlineData("ldm", UpstreamScript.Swap,
        "num_inference_steps batch_size input_image_path seed internal with_reconstruction save_dir swap_path swap_before_t swap_type "
        + "n_parts part_idx")]
    [InlineData("ldm", UpstreamScript.Forward,
        "num_inference_steps batch_size input_image_path forward_before_t forward_seed n_parts part_idx seed internal "
        + "with_reconstruction save_dir")]
    [InlineData("dit", UpstreamScript.Sample,
        "seed noises_per_prompt n_prompts batch_size num_inference_steps guidance_scale cond_seed input_path input_cond_path internal "
        + "with_inversion with_reconstruction save_dir")]
    [InlineData("dit", UpstreamScript.Swap,
        "num_inference_steps batch_size input_image_path input_cond_path guidance_scale seed internal with_reconstruction save_dir "
        + "swap_path swap_before_t swap_type")]
    [InlineData("dit", UpstreamScript.Forward,
        "num_inference_steps batch_size input_image_path input_cond_path guidance_scale forward_before_t forward_seed swap_path "
        + "swap_before_t swap_type seed internal with_reconstruction save_dir")]
    [InlineData("if", UpstreamScript.Sample,
        "seed noises_per_prompt n_prompts batch_size num_inference_steps guidance_scale cond_seed prompts prompts_dataset input_path "
        + "internal with_inversion with_reconstruction save_dir")]
    [InlineData("if", UpstreamScript.Swap,
        "num_inference_steps batch_size input_samples_path input_prompts_path guidance_scale seed internal with_reconstruction save_dir "
        + "swap_path swap_before_t swap_type")]
    [InlineData("if", UpstreamScript.Forward,
        "num_inference_steps batch_size input_samples_path input_prompts_path guidance_scale forward_before_t forward_seed seed "
        + "internal with_reconstruction save_dir")]
    public void All_OfAScript_HasUpstreamsNamesInBothSpellings(string family, object script, string names)
    {
        var common = new CommonFlags("pt");
        var options = new UpstreamFlags((UpstreamScript)script, UpstreamFamily.All.Single(f => f.Name == family), common, new OutputFlags())
            .All.Concat(common.All).Concat(new OutputFlags().All);
        var spelled = options.SelectMany(o => o.Aliases.Append(o.Name)).ToHashSet();
        Assert.All(names.Split(' '), name => Assert.Contains($"--{name}", spelled));
        Assert.All(names.Split(' '), name => Assert.Contains($"--{name.Replace('_', '-')}", spelled));
    }

    [Fact]
    public void Swap_OfIf_TakesItsOwnNames()
    {
        var spec = Spec(
            "if", UpstreamScript.Swap, "--input_samples_path", "s.pt", "--input_prompts_path", "prompts.pkl", "--guidance_scale", "7",
            "--swap_path", "e.pt",
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
        Assert.Equal(ForwardAlignment.Consistent, Spec(
            "dit", UpstreamScript.Forward, [.. args, "--forward_alignment", "consistent"]).ForwardAlignment);
    }

    [Theory]
    [InlineData("ldm", UpstreamScript.Swap, 100, 64)]
    [InlineData("ldm", UpstreamScript.Forward, 100, 64)]
    [InlineData("dit", UpstreamScript.Swap, 50, 64)]
    [InlineData("dit", UpstreamScript.Forward, 50, 64)]
    [InlineData("if", UpstreamScript.Swap, 50, 16)]
    [InlineData("if", UpstreamScript.Forward, 50, 16)]
    public void Invert_WithoutK_IsPlainInversionWithUpstreamsDefaults(string family, object script, int steps, int batch)
    {
        var arguments = Read(family, (UpstreamScript)script, FamilyCommandLine.Inputs(family));
        var spec = UpstreamTranslation.ToSpec(arguments);
        Assert.Equal([steps], spec.NumInferenceSteps);
        Assert.Equal(batch, spec.BatchSize);
        Assert.Equal((42L, 42L), (arguments.Seed, arguments.ForwardSeed));
        Assert.Equal([1.0], spec.GuidanceScales);
        Assert.True(
            spec is { WithPlainRun: true, WithInversion: true, WithSampling: false, WithReconstruction: false, NParts: 1, PartIdx: 0 });
        Assert.Empty(spec.Interventions);
        Assert.Equal(InternalSelection.None, spec.Internal);
    }

    [Theory]
    [InlineData("ldm")]
    [InlineData("dit")]
    [InlineData("if")]
    public void Sample_Parts_AreTakenByEveryFamily(string family)
    {
        var spec = Spec(family, UpstreamScript.Sample, "--n_parts", "4", "--part_idx", "3");
        Assert.Equal((4, 3), (spec.NParts, spec.PartIdx));
    }

    [Fact]
    public void Forward_OfDit_SwapsToo()
    {
        var spec = Spec(
            "dit", UpstreamScript.Forward, "--input_image_path", "s.pt", "--input_cond_path", "c.pt", "--swap_path", "x.pt",
            "--swap_before_t", "2", "--swap_type", "xt");
        Assert.Equal(new Intervention(InterventionKind.SwapXt, 2, SwapPath: "x.pt"), spec.Interventions.Single());
        Assert.False(spec.WithPlainRun);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(true, "--decode")]
    [InlineData(true, "--no_decode", "false")]
    [InlineData(false, "--decode", "false")]
    [InlineData(false, "--no_decode")]
    [InlineData(false, "--no-decode", "--decode", "false")]
    public void Sample_Decode_IsOnUnlessSwitchedOff(bool expected, params string[] args) =>
        Assert.Equal(expected, Spec("ldm", UpstreamScript.Sample, args).WithDecoding);

    [Theory]
    [InlineData("ldm", true)]
    [InlineData("dit", true)]
    [InlineData("if", false)]
    [InlineData("adm", false)]
    public void All_DecodeFlags_AreThoseOfLatentModels(string family, bool expected) =>
        Assert.Equal(expected, FamilyCommandLine.Flags(family, UpstreamScript.Swap).All.Any(o => o.Name == "--no_decode"));

    [Fact]
    public void Swap_WithoutSamples_NamesTheFlagOfItsFamily()
    {
        Assert.Contains("--input_samples_path", Assert.Throws<BadInputException>(
            () => Spec("if", UpstreamScript.Swap)).Message, StringComparison.Ordinal);
        Assert.Contains("--input_image_path", Assert.Throws<BadInputException>(
            () => Spec("dit", UpstreamScript.Swap)).Message, StringComparison.Ordinal);
    }
}

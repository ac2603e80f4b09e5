using System.CommandLine;
using Taba.Client.Commands;
using Taba.Grains.Sweeps;

namespace Taba.Client.Tests;

/// <summary>Upstream's flags become the sweep that upstream's script would have run.</summary>
public sealed class UpstreamFlagsTests
{
    static UpstreamArguments Read(UpstreamScript script, params string[] args) => Read("adm", script, args);

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

    static SweepSpec Spec(UpstreamScript script, params string[] args) => UpstreamTranslation.ToSpec(Read(script, args));

    [Fact]
    public void Sample_WithoutFlags_HasUpstreamsDefaults()
    {
        var spec = Spec(UpstreamScript.Sample);

        Assert.Equal("cifar_pixel_32", spec.Models[0].NameOrPath);
        Assert.Equal(1024, spec.Samples);
        Assert.Equal([42L], spec.Seeds);
        Assert.Equal([100], spec.NumInferenceSteps);
        Assert.Equal(64, spec.BatchSize);
        Assert.True(spec is { WithSampling: true, WithInversion: false, WithReconstruction: false, WithPlainRun: true, FlatOutput: true });
        Assert.Equal(InternalSelection.None, spec.Internal);
    }

    [Fact]
    public void Forward_WithoutFlags_TakesFiftySteps() =>
        Assert.Equal([50], Spec(UpstreamScript.Forward, "--model", "demo", "--input_image_path", "x.pt").NumInferenceSteps);

    [Theory]
    [InlineData("--n_samples", "8")]
    [InlineData("--n-samples", "8")]
    [InlineData("--n_samples=8")]
    public void Sample_EitherSpelling_IsTheSameFlag(params string[] args) => Assert.Equal(8, Spec(UpstreamScript.Sample, args).Samples);

    [Theory]
    [InlineData(true, "--with_inversion")]
    [InlineData(true, "--with_inversion", "true")]
    [InlineData(true, "--with-inversion", "True")]
    [InlineData(false, "--with_inversion", "false")]
    [InlineData(false)]
    public void Sample_Switch_TakesAValueOrNone(bool expected, params string[] args) =>
        Assert.Equal(expected, Spec(UpstreamScript.Sample, args).WithInversion);

    [Fact]
    public void Sample_Images_SkipSampling()
    {
        var spec = Spec(UpstreamScript.Sample, "--input_image_path", "x.pt", "--with_inversion");
        Assert.False(spec.WithSampling);
        Assert.Equal("x.pt", spec.ImagesPath);
    }

    [Fact]
    public void Sample_Parameters_AreThoseOfUpstreamsMetrics()
    {
        var spec = Spec(
            UpstreamScript.Sample, "--num_inference_steps", "10", "--batch_size", "4", "--model_name", "cifar_pixel_32", "--seed", "420",
            "--n_samples", "4", "--with_inversion", "--with_reconstruction", "--internal", "--save_dir", "out_adm/sample_T10");

        Assert.Equal(
            new Dictionary<string, string>
            {
                ["seed"] = "420", ["num_inference_steps"] = "10", ["input_image_path"] = "null", ["output_dir"] = "out_adm/sample_T10",
                ["save_dir"] = "out_adm/sample_T10", ["internal"] = "true",
                ["batch_size"] = "4", ["n_samples"] = "4", ["with_inversion"] = "true", ["with_reconstruction"] = "true",
                ["input_noise_path"] = "null", ["n_parts"] = "1", ["part_idx"] = "0", ["model_name"] = "cifar_pixel_32",
            },
            spec.Parameters);
    }

    [Fact]
    public void Swap_WithK_IsTheOnlyRun()
    {
        var spec = Spec(
            UpstreamScript.Swap, "--model", "demo", "--input_image_path", "s.pt", "--swap_path", "e.pt", "--swap_before_t", "3",
            "--swap_type", "xt");

        Assert.Equal(new Intervention(InterventionKind.SwapXt, 3, SwapPath: "e.pt"), Assert.Single(spec.Interventions));
        Assert.True(spec is { WithPlainRun: false, WithInversion: true, WithSampling: false });
    }

    [Fact]
    public void Forward_KZero_IsPlainInversion()
    {
        var spec = Spec(UpstreamScript.Forward, "--model", "demo", "--input_image_path", "s.pt", "--forward_before_t", "0");
        Assert.Empty(spec.Interventions);
        Assert.True(spec.WithPlainRun);
    }

    [Fact]
    public void SaveDir_Default_IsUpstreamsWithoutTime() => Assert.Equal(
        Path.Combine("experiments", "cifar_pixel_32", "internal", "sampling_invert_reconstruction",
            "seed_42_T_100_batch_size_64_n_samples_1024__with_inversion_True__with_reconstruction_False"),
        UpstreamFolders.SaveDir(Read(UpstreamScript.Sample, "--internal", "--with_inversion")));

    [Fact]
    public void SaveDir_OfAPart_HasASuffix() =>
        Assert.Equal(Path.Combine("out", "run_part_2"), UpstreamFolders.SaveDir(
            Read(UpstreamScript.Sample, "--save_dir", "out/run/", "--n_parts", "3", "--part_idx", "2")));

    [Fact]
    public void StoreRoot_LiesBesideTheRun()
    {
        Assert.Equal(Path.GetFullPath("out/.taba"), UpstreamFolders.StoreRoot(Read(UpstreamScript.Sample, "--save_dir", "out/run")));
        Assert.Equal(Path.Combine("root", ".taba"), UpstreamFolders.StoreRoot(
            Read(UpstreamScript.Sample, "--save_dir", "out/run", "--out", "root")));
    }
}

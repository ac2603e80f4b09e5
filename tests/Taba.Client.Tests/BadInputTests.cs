using Taba.Diffusion.Tensors;
using Taba.Testing;
using Taba.Testing.Client;
using static TorchSharp.torch;

namespace Taba.Client.Tests;

/// <summary>The command line refuses what cannot be: status 2, one sentence, nothing written.</summary>
public sealed class BadInputTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    string[] Sample(params string[] more) =>
        ["sample", "gaussian", "--model", _taba.GaussianModel(), "--n_samples", "12", "--num_inference_steps", "10", "--save_dir",
        _taba.At("out", "run"), .. more];

    string[] Invert(string verb, params string[] more) =>
        [verb, "gaussian", "--model", _taba.GaussianModel(), "--num_inference_steps", "10", "--input_image_path", Images(), "--save_dir",
        _taba.At("out", "run"), .. more];

    [Fact]
    public async Task Command_Unknown_NamesTheNearest() =>
        Assert.Contains("Did you mean sample?", await _taba.RefuseAsync("smaple", "adm"), StringComparison.Ordinal);

    [Fact]
    public async Task Family_Unknown_NamesTheNearest() =>
        Assert.Contains("Did you mean adm?", await _taba.RefuseAsync("sample", "admm"), StringComparison.Ordinal);

    [Fact]
    public async Task Flag_Unknown_NamesTheNearest() =>
        Assert.Contains("Did you mean --n_samples?", await _taba.RefuseAsync(Sample("--n_sampels", "3")), StringComparison.Ordinal);

    [Fact]
    public async Task Flag_UnknownInRun_IsNotTakenForAnOverride() =>
        Assert.Contains("no option --foo of taba run", await _taba.RefuseAsync("run", "sweep.yaml", "--foo"), StringComparison.Ordinal);

    [Theory]
    [InlineData("--n_parts", "three", "whole number")]
    [InlineData("--batch_size", "many", "whole number, or auto")]
    [InlineData("--dtype", "float8", "expected auto, float32, float16 or bfloat16")]
    [InlineData("--device", "tpu", "must be auto, all, cpu, cuda, or a list")]
    public async Task Flag_WithAWrongValue_SaysWhatWouldDo(string flag, string value, string expected) =>
        Assert.Contains(expected, await _taba.RefuseAsync(Sample(flag, value)), StringComparison.Ordinal);

    [Theory]
    [InlineData("blob:")]
    [InlineData("blob:../june")]
    [InlineData("blob:a//b")]
    [InlineData("blob:/etc")]
    [InlineData("BLOB:june?sv=1")]
    public async Task Out_PrefixThatCannotBeOne_IsRefused(string place)
    {
        var sweep = _taba.Write("s.yaml", $"model: {_taba.GaussianModel()}\nsamples: 4\nnum_inference_steps: 10");
        foreach (var command in new[] { "run", "plan" })
            Assert.Contains("is not a place for blobs", await _taba.RefuseAsync(
                command, sweep, "--cluster", "lab", "--out", place), StringComparison.Ordinal);
        Assert.Contains(
            "is not a place for blobs",
            await _taba.RefuseAsync("sample", "gaussian", "--model", _taba.GaussianModel(), "--cluster", "lab", "--out", place),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Out_BlobsWithoutACluster_AreRefused()
    {
        var sweep = _taba.Write("s.yaml", $"model: {_taba.GaussianModel()}\nsamples: 4\nnum_inference_steps: 10");
        Assert.Contains(
            "name the cluster with --cluster", await _taba.RefuseAsync("run", sweep, "--out", "blob:june"), StringComparison.Ordinal);
        Assert.Contains(
            "name the cluster with --cluster",
            await _taba.RefuseAsync("sample", "gaussian", "--model", _taba.GaussianModel(), "--save_dir", "blob:june/base"),
            StringComparison.Ordinal);
        Assert.Contains(
            "give one of them", await _taba.RefuseAsync(Sample("--cluster", "lab", "--out", "blob:june")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Out_BlobsOfASweepWhoseNameCannotBeInThem_AreRefused()
    {
        var sweep = _taba.Write("s.yaml", $"name: my sweep\nmodel: {_taba.GaussianModel()}\nsamples: 4\nnum_inference_steps: 10");
        Assert.Contains("blob:june/my sweep", await _taba.RefuseAsync(
            "run", sweep, "--cluster", "lab", "--out", "blob:june"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reconstruction_WithoutInversion_IsRefused() =>
        Assert.Contains("needs with_inversion", await _taba.RefuseAsync(Sample("--with_reconstruction")), StringComparison.Ordinal);

    [Theory]
    [InlineData("10")]
    [InlineData("-1")]
    public async Task Forward_KOutOfRange_IsRefused(string before) =>
        Assert.Contains("K must be between 0 and 9", await _taba.RefuseAsync(
            Invert("forward", $"--forward_before_t={before}")), StringComparison.Ordinal);

    [Fact]
    public async Task Swap_KOutOfRange_IsRefused() => Assert.Contains(
        "K must be between 0 and 10",
        await _taba.RefuseAsync(Invert("swap", "--swap_before_t", "11", "--swap_type", "eps", "--swap_path", Trajectory(10, 12))),
        StringComparison.Ordinal);

    [Fact]
    public async Task Swap_WithoutPath_IsRefused() => Assert.Contains(
        "--swap_path is missing", await _taba.RefuseAsync(Invert("swap", "--swap_before_t", "2", "--swap_type", "eps")),
        StringComparison.Ordinal);

    [Fact]
    public async Task Swap_WithoutType_IsRefused() =>
        Assert.Contains(
            "--swap_type is missing", await _taba.RefuseAsync(Invert("swap", "--swap_before_t", "2")), StringComparison.Ordinal);

    [Fact]
    public async Task SwapXt_OfAllStepsWithoutNoise_IsRefused() => Assert.Contains(
        "initial noise",
        await _taba.RefuseAsync(Invert("swap", "--swap_before_t", "10", "--swap_type", "xt", "--swap_path", Trajectory(10, 12))),
        StringComparison.Ordinal);

    [Fact]
    public async Task Steps_ThatRespacingCannotGive_AreRefused() => Assert.Contains(
        "num_inference_steps is 30",
        await _taba.RefuseAsync(
            "sample", "gaussian", "--model", _taba.GaussianModel(), "--num_inference_steps", "30", "--save_dir", _taba.At("out")),
            StringComparison.Ordinal);

    [Fact]
    public async Task Parts_ThatDoNotDivide_AreRefused() =>
        Assert.Contains(
            "12 samples cannot be cut into 5 equal parts", await _taba.RefuseAsync(Sample("--n_parts", "5")), StringComparison.Ordinal);

    [Fact]
    public async Task Part_OutOfRange_IsRefused() =>
        Assert.Contains("part_idx is 3", await _taba.RefuseAsync(Sample("--n_parts", "3", "--part_idx", "3")), StringComparison.Ordinal);

    [Fact]
    public async Task Images_OfAnotherShape_AreRefused() => Assert.Contains(
        "needs [N, 3, 8, 8]", await _taba.RefuseAsync(Sample("--input_image_path", Tensor("wide", 12, 3, 8, 16), "--with_inversion")),
        StringComparison.Ordinal);

    [Fact]
    public async Task Swap_OfAnotherNumberOfSteps_IsRefused() => Assert.Contains(
        "expected [10, 12, 3, 8, 8]",
        await _taba.RefuseAsync(Invert("swap", "--swap_before_t", "2", "--swap_type", "eps", "--swap_path", Trajectory(5, 12))),
        StringComparison.Ordinal);

    [Fact]
    public async Task Images_Absent_AreRefused() =>
        Assert.Contains(
            "There is no file", await _taba.RefuseAsync(Sample("--input_image_path", _taba.At("nothing.pt"))), StringComparison.Ordinal);

    [Fact]
    public async Task Images_Corrupt_AreRefused() => Assert.Contains(
        "cannot be read as tensors", await _taba.RefuseAsync(
            Sample("--input_image_path", _taba.Write("bad.pt", "this is no tensor file at all"))), StringComparison.Ordinal);

    [Fact]
    public async Task Weights_Missing_AreNamedWithTheirSource()
    {
        var error = await _taba.RefuseAsync("sample", "adm", "--model_name", "cifar_pixel_32", "--save_dir", _taba.At("out"));
        Assert.Contains("cifar10_uncond_50M_500K.pt", error, StringComparison.Ordinal);
        Assert.Contains("https://", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Weights_Corrupt_AreRefused() => Assert.Contains(
        "cannot be read as tensors",
        await _taba.RefuseAsync("sample", "adm", "--model", "adm-32", "--weights", _taba.Write(
            "w.pt", "no weights"), "--save_dir", _taba.At("out")), StringComparison.Ordinal);

    [Fact]
    public async Task Model_OfAnotherFamily_IsRefused() => Assert.Contains(
        "of family gaussian, not adm",
        await _taba.RefuseAsync("sample", "adm", "--model", _taba.GaussianModel(), "--num_inference_steps", "10", "--save_dir", _taba.At(
            "out")), StringComparison.Ordinal);

    [Fact]
    public async Task Disk_TooSmall_IsRefused() => Assert.Contains(
        "make room",
        await _taba.RefuseAsync(
            "sample", "gaussian", "--model", _taba.GaussianModel(size: 1024), "--n_samples", "100000000", "--num_inference_steps", "10",
            "--save_dir", _taba.At("out")),
        StringComparison.Ordinal);

    [Fact]
    public async Task Cuda_WithoutADevice_IsRefused()
    {
        Diffusion.Native.TorchRuntime.Initialize();
        Assert.SkipWhen(cuda.is_available(), "this machine has a CUDA device");
        Assert.Contains("no CUDA device", await _taba.RefuseAsync(Sample("--device", "cuda")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunFolder_OfAnotherRun_IsRefusedWithTheFieldsThatDiffer()
    {
        await _taba.DoneAsync(Sample("--seed", "1"));
        Assert.Contains("seed 1", await _taba.RefuseAsync(Sample("--seed", "2")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RunFolder_OfMoreSamples_IsNotCutDown()
    {
        var many = Sample("--seed", "1");
        await _taba.DoneAsync(many);
        var few = many.Select((word, at) => at > 0 && many[at - 1] == "--n_samples" ? "2" : word).ToArray();
        var error = await _taba.RefuseAsync(few);
        Assert.Contains("and this command would leave 2 samples there", error, StringComparison.Ordinal);
        await _taba.DoneAsync([.. few, "--overwrite"]);
    }

    string Images() => Tensor("images", 12, 3, 8, 8);

    string Trajectory(int steps, int rows) => Tensor("all_t_eps_samples", steps, rows, 3, 8, 8);

    string Tensor(string name, params long[] shape)
    {
        var path = _taba.At(name + ".safetensors");
        using var writer = TensorFileWriter.Create(path, TensorFormat.Safetensors, name, ScalarType.Float32, shape);
        writer.WriteZeros(writer.ByteCount);
        writer.Complete();
        return path;
    }
}

using Taba.Testing;
using Taba.Testing.Client;

namespace Taba.Reliability.Tests;

/// <summary>Bad input is refused before anything is started: exit status 2, one sentence, nothing written.</summary>
public sealed class BadInputTests : IDisposable
{
    readonly CommandLine _taba = new();

    public BadInputTests()
    {
        TinyModels.Adm(Model);
        TinyModels.Gaussian(_taba.At("gaussian.json"));
        _taba.Write("sweep.yaml", """
            name: refused
            model: tiny.json
            samples: 4
            num_inference_steps: 10
            """);
    }

    string Model => _taba.At("tiny.json");

    string Sweep => _taba.At("sweep.yaml");

    string Out => _taba.At("out");

    public void Dispose() => _taba.Dispose();

    [Fact]
    public Task Family_Unknown_IsRefused() => RefusedAsync("vae", "sample", "vae", "--save_dir", Out);

    [Fact]
    public Task Flag_Unknown_IsRefused() => RefusedAsync("--n_sample", Sample("--n_sample", "4"));

    [Fact]
    public Task Reconstruction_WithoutInversion_IsRefused() => RefusedAsync("with_inversion", Sample("--with_reconstruction"));

    [Fact]
    public Task Stages_ReconstructWithoutInvert_IsRefused() =>
        RefusedAsync("invert", "run", Sweep, "stages=[sample,reconstruct]", "--out", Out);

    [Fact]
    public Task Forward_BeforeAll_IsRefused() => RefusedAsync(
        "forward_before_t is 10", Of("forward", "--input_image_path", Images(), "--num_inference_steps", "10", "--forward_before_t", "10"));

    [Fact]
    public Task Swap_BeforeMoreThanAll_IsRefused() => RefusedAsync(
        "swap_before_t is 11",
        Of(
            "swap", "--input_image_path", Images(), "--num_inference_steps", "10", "--swap_before_t", "11", "--swap_type", "eps",
            "--swap_path", Kept(10)));

    [Fact]
    public Task Swap_WithoutPath_IsRefused() => RefusedAsync(
        "--swap_path",
        Of("swap", "--input_image_path", Images(), "--num_inference_steps", "10", "--swap_before_t", "3", "--swap_type", "eps"));

    [Fact]
    public Task SwapXt_OfAllStepsWithoutNoise_IsRefused() => RefusedAsync(
        "--input_noise_path",
        Of(
            "swap", "--input_image_path", Images(), "--num_inference_steps", "10", "--swap_before_t", "10", "--swap_type", "xt",
            "--swap_path", Kept(10)));

    [Fact]
    public Task Steps_ThatRespacingCannotGive_AreRefused() => RefusedAsync("3000", Sample("--num_inference_steps", "3000"));

    [Fact]
    public Task NParts_ThatDoesNotDivide_IsRefused() => RefusedAsync("n_parts", Sample("--n_samples", "10", "--n_parts", "3"));

    [Fact]
    public Task PartIdx_OutOfRange_IsRefused() =>
        RefusedAsync("part_idx is 2", Sample("--n_samples", "10", "--n_parts", "2", "--part_idx", "2"));

    [Fact]
    public Task Images_OfAnotherShape_AreRefused() => RefusedAsync(
        "[2, 3, 16, 16]",
        Of("forward", "--input_image_path", NpyFile.Write(_taba.At("small.npy"), 2, 3, 16, 16), "--forward_before_t", "1"));

    [Fact]
    public Task Weights_Missing_AreRefused()
    {
        TinyModels.Adm(Model, "nowhere.pt");
        return RefusedAsync("nowhere.pt", Sample());
    }

    [Fact]
    public Task Weights_Truncated_AreRefused()
    {
        var whole = File.ReadAllBytes(TinyModels.AdmWeights);
        File.WriteAllBytes(_taba.At("half.pt"), whole.AsSpan(0, whole.Length / 2));
        TinyModels.Adm(Model, "half.pt");
        return RefusedAsync("half.pt", Sample());
    }

    [Fact]
    public async Task Weights_OfAnotherArchitecture_AreRefused()
    {
        // Half the channels and an attention level less: parameters are missing, left over, and of other shapes.
        var model = File.ReadAllText(Model);
        File.WriteAllText(Model, model
            .Replace("\"num_channels\":32", "\"num_channels\":64", StringComparison.Ordinal)
            .Replace("\"num_res_blocks\":1", "\"num_res_blocks\":2", StringComparison.Ordinal)
            .Replace("\"16,8\"", "\"8\"", StringComparison.Ordinal));
        var refused = await RefusedAsync("model.pt", Sample());
        Assert.Contains("missing", refused, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("unexpected", refused, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("shape", refused, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Folder_OfAnotherRun_IsRefusedAndLeftAlone()
    {
        string[] run =
        [
            "sample", "gaussian", "--model", _taba.At("gaussian.json"), "--n_samples", "4", "--num_inference_steps", "10", "--save_dir",
            _taba.At("out", "run"),
        ];
        await _taba.DoneAsync([.. run, "--seed", "1"]);

        await RefusedAsync("seed", [.. run, "--seed", "2"]);
    }

    [Fact]
    public Task Sweep_UnknownKey_IsRefused()
    {
        File.AppendAllText(Sweep, "\nsample: 5\n");
        return RefusedAsync("'sample'", "run", Sweep, "--out", Out);
    }

    [Fact]
    public Task Device_CudaThatIsNotThere_IsRefused() =>
        RefusedAsync("CUDA", Sample("--device", File.Exists("/dev/nvidiactl") ? "cuda:99" : "cuda"));

    string[] Of(string script, params string[] flags) => [script, "adm", "--model", Model, "--save_dir", Out, .. flags];

    string[] Sample(params string[] flags) => Of("sample", flags);

    string Images() => NpyFile.Write(_taba.At("images.npy"), 1, 3, 32, 32);

    string Kept(int steps) => NpyFile.Write(_taba.At("kept.npy"), steps, 1, 3, 32, 32);

    async Task<string> RefusedAsync(string names, params string[] arguments)
    {
        var refused = await _taba.RefuseAsync(arguments);
        Assert.Contains(names, refused);
        return refused;
    }
}

using Taba.Testing;

namespace Taba.Reliability.Tests;

/// <summary>Bad input is refused before anything is started: exit status 2, one sentence, nothing written.</summary>
public sealed class BadInputTests : IDisposable
{
    readonly Workbench _bench = new("""
        name: refused
        model: tiny.json
        samples: 4
        num_inference_steps: 10
        """);

    public void Dispose() => _bench.Dispose();

    [Fact]
    public Task Family_Unknown_IsRefused() => RefusedAsync("vae", "sample", "vae", "--save_dir", "out");

    [Fact]
    public Task Flag_Unknown_IsRefused() => RefusedAsync("--n_sample", Sample("--n_sample", "4"));

    [Fact]
    public Task Reconstruction_WithoutInversion_IsRefused() => RefusedAsync("with_inversion", Sample("--with_reconstruction"));

    [Fact]
    public Task Stages_ReconstructWithoutInvert_IsRefused() =>
        RefusedAsync("invert", "run", "sweep.yaml", "stages=[sample,reconstruct]", "--out", "out");

    [Fact]
    public Task Forward_BeforeAll_IsRefused() => RefusedAsync(
        "forward_before_t is 10", Of("forward", "--input_image_path", Images(), "--num_inference_steps", "10", "--forward_before_t", "10"));

    [Fact]
    public Task Swap_BeforeMoreThanAll_IsRefused() => RefusedAsync(
        "swap_before_t is 11",
        Of("swap", "--input_image_path", Images(), "--num_inference_steps", "10", "--swap_before_t", "11", "--swap_type", "eps", "--swap_path", Kept(10)));

    [Fact]
    public Task Swap_WithoutPath_IsRefused() => RefusedAsync(
        "--swap_path", Of("swap", "--input_image_path", Images(), "--num_inference_steps", "10", "--swap_before_t", "3", "--swap_type", "eps"));

    [Fact]
    public Task SwapXt_OfAllStepsWithoutNoise_IsRefused() => RefusedAsync(
        "--input_noise_path",
        Of("swap", "--input_image_path", Images(), "--num_inference_steps", "10", "--swap_before_t", "10", "--swap_type", "xt", "--swap_path", Kept(10)));

    [Fact]
    public Task Steps_ThatRespacingCannotGive_AreRefused() => RefusedAsync("3000", Sample("--num_inference_steps", "3000"));

    [Fact]
    public Task NParts_ThatDoesNotDivide_IsRefused() => RefusedAsync("n_parts", Sample("--n_samples", "10", "--n_parts", "3"));

    [Fact]
    public Task PartIdx_OutOfRange_IsRefused() => RefusedAsync("part_idx is 2", Sample("--n_samples", "10", "--n_parts", "2", "--part_idx", "2"));

    [Fact]
    public Task Images_OfAnotherShape_AreRefused() => RefusedAsync(
        "[2, 3, 16, 16]", Of("forward", "--input_image_path", NpyFile.Write(_bench.At("small.npy"), 2, 3, 16, 16), "--forward_before_t", "1"));

    [Fact]
    public Task Weights_Missing_AreRefused()
    {
        _bench.WriteModel("tiny.json", "nowhere.pt");
        return RefusedAsync("nowhere.pt", Sample());
    }

    [Fact]
    public Task Weights_Truncated_AreRefused()
    {
        var whole = File.ReadAllBytes(Fixtures.At("models/adm/cifar32_tiny/model.pt"));
        File.WriteAllBytes(_bench.At("half.pt"), whole.AsSpan(0, whole.Length / 2));
        _bench.WriteModel("tiny.json", "half.pt");
        return RefusedAsync("half.pt", Sample());
    }

    [Fact]
    public async Task Weights_OfAnotherArchitecture_AreRefused()
    {
        // Half the channels and an attention level less: parameters are missing, left over, and of other shapes.
        _bench.WriteModel("tiny.json", Fixtures.At("models/adm/cifar32_tiny/model.pt"));
        var model = File.ReadAllText(_bench.At("tiny.json"));
        File.WriteAllText(_bench.At("tiny.json"), model
            .Replace("\"num_channels\":32", "\"num_channels\":64", StringComparison.Ordinal)
            .Replace("\"num_res_blocks\":1", "\"num_res_blocks\":2", StringComparison.Ordinal)
            .Replace("\"16,8\"", "\"8\"", StringComparison.Ordinal));
        var refused = await RefusedAsync("model.pt", Sample());
        Assert.Contains("missing", refused.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("unexpected", refused.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("shape", refused.Error, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Folder_OfAnotherRun_IsRefusedAndLeftAlone()
    {
        string[] run = ["sample", "gaussian", "--model", "gaussian.json", "--n_samples", "4", "--num_inference_steps", "10", "--save_dir", "out/run"];
        (await _bench.RunAsync([.. run, "--seed", "1"])).ShouldEnd(0);
        var before = Listing();

        var refused = (await _bench.RunAsync([.. run, "--seed", "2"])).ShouldEnd(2);

        AssertOneSentence(refused);
        Assert.Contains("seed", refused.Error);
        Assert.Equal(before, Listing());
    }

    [Fact]
    public Task Sweep_UnknownKey_IsRefused()
    {
        File.AppendAllText(_bench.At("sweep.yaml"), "\nsample: 5\n");
        return RefusedAsync("'sample'", "run", "sweep.yaml", "--out", "out");
    }

    [Fact]
    public Task Device_CudaThatIsNotThere_IsRefused() =>
        RefusedAsync("CUDA", Sample("--device", File.Exists("/dev/nvidiactl") ? "cuda:99" : "cuda"));

    [Fact]
    public async Task Setting_OutOfRange_IsRefused()
    {
        using var run = TabaProcess.Start(
            _bench.Folder, new Dictionary<string, string> { ["Taba__Engine__CheckpointEverySteps"] = "0" }, "run", "sweep.yaml", "--out", "out");
        var refused = (await run.EndAsync()).ShouldEnd(2);

        Assert.Contains("CheckpointEverySteps", refused.Error);
        Assert.False(Directory.Exists(_bench.OutFolder));
    }

    static string[] Of(string script, params string[] flags) => [script, "adm", "--model", "tiny.json", "--save_dir", "out", .. flags];

    static string[] Sample(params string[] flags) => Of("sample", flags);

    string Images() => NpyFile.Write(_bench.At("images.npy"), 1, 3, 32, 32);

    string Kept(int steps) => NpyFile.Write(_bench.At("kept.npy"), steps, 1, 3, 32, 32);

    async Task<CommandResult> RefusedAsync(string names, params string[] arguments)
    {
        var before = Listing();
        var refused = (await _bench.RunAsync(arguments)).ShouldEnd(2);
        AssertOneSentence(refused);
        Assert.Contains(names, refused.Error);
        Assert.Equal(before, Listing());
        return refused;
    }

    static void AssertOneSentence(CommandResult refused)
    {
        Assert.Empty(refused.Output);
        Assert.DoesNotContain('\n', refused.Error.TrimEnd());
        Assert.Matches(@"[.?]\z", refused.Error.TrimEnd());
    }

    /// <summary>Every file with its size and time.</summary>
    List<string> Listing() =>
    [
        .. new DirectoryInfo(_bench.Folder).EnumerateFileSystemInfos("*", SearchOption.AllDirectories)
            .Select(f => $"{f.FullName} {(f is FileInfo file ? file.Length : 0)} {f.LastWriteTimeUtc:O}")
            .Order(StringComparer.Ordinal),
    ];
}

using System.Buffers.Binary;
using System.Text.Json;
using Taba.Testing;
using Taba.Testing.Client;

namespace Taba.Parity.Tests;

/// <summary>What numbers must not depend on: batch size, parts, how many samples were asked for before, and other sweeps.</summary>
public sealed class E2eIndependenceTests : IDisposable
{
    /// <summary>Divided by 3, not by 4.</summary>
    const int Samples = 6;

    static readonly string[] s_results = ["noise", "samples", "latents", "samples2"];

    readonly TempFolder _folder = new();

    /// <summary>A run of the reference whose network needs no conditions; its other flags do not matter.</summary>
    public static TheoryData<string> Networks =>
        [.. E2eCase.Discover(scripts: true).Where(name => E2eCase.Read(name).Family == "adm").Take(1)];

    public void Dispose() => _folder.Dispose();

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Networks))]
    public async Task Sample_OtherBatchSizes_SameNumbersWithinRounding(string name)
    {
        var reference = await SampleAsync(name, "batch_3", "--batch_size", "3");
        foreach (var batch in new[] { 1, 4, 16 })
        {
            var other = await SampleAsync(name, $"batch_{batch}", "--batch_size", $"{batch}");
            foreach (var tensor in s_results)
            {
                var actual = CommandLineTensor.Read(other, tensor);
                var expected = CommandLineTensor.Read(reference, tensor);
                // The last batch is a partial one when it is 4: its rows are there all the same.
                Assert.Equal(Samples, actual.Shape[0]);
                Assert.Equal(expected.Shape, actual.Shape);
                E2eAgreement.Close(actual.Values, expected.Values, $"batch_size {batch}: {tensor}");
            }
        }
    }

    [Theory(SkipTestWithoutData = true)]
    [MemberData(nameof(Networks))]
    public async Task Sample_Deterministic_SameBitsForAnyBatchSizeAndParts(string name)
    {
        var whole = await SampleAsync(name, "whole", "--deterministic", "--batch_size", "16");
        var small = await SampleAsync(name, "small", "--deterministic", "--batch_size", "1");
        var parts = new List<string>();
        foreach (var part in Enumerable.Range(0, 3))
        {
            await SampleAsync(name, "cut", "--deterministic", "--n_parts", "3", "--part_idx", $"{part}");
            parts.Add(_folder.At($"cut/run_part_{part}"));
        }
        var merged = _folder.At("merged");
        await InProcess.DoneAsync(["merge", .. Enumerable.Reverse(parts), "--save_dir", merged]);

        foreach (var tensor in s_results)
        {
            var expected = CommandLineTensor.Read(whole, tensor).Bytes;
            TensorAssert.SameBytes(CommandLineTensor.Read(small, tensor).Bytes, expected, $"batch_size 1: {tensor}");
            TensorAssert.SameBytes(CommandLineTensor.Read(merged, tensor).Bytes, expected, $"merged: {tensor}");
            TensorAssert.SameBytes(File.ReadAllBytes(Path.Combine(merged, $"{tensor}.pt")), File.ReadAllBytes(
                Path.Combine(whole, $"{tensor}.pt")), $"{tensor}.pt");
        }
        E2eAgreement.SameMetrics(MetricsOf(merged), MetricsOf(whole), "merged");
    }

    [Fact]
    public async Task Run_MoreSamples_ComputesOnlyTheNewOnes()
    {
        const int Steps = 10;
        const int Stages = 3;
        var sweep = WriteSweep("grow", "stages: [sample, invert, reconstruct]");

        await RunAsync(sweep, "samples=128");
        var first = CommandLineTensor.Read(Folder("grow"), "samples2").Bytes;
        Assert.Equal(128 * Steps * Stages, Evaluations);

        var done = await RunAsync(sweep, "samples=256");
        Assert.Equal(256 * Steps * Stages, Evaluations);
        Assert.Equal(128 * Steps * Stages, done.GetProperty("evaluations").GetInt64());
        Assert.Equal(128 * Stages, done.GetProperty("reused_rows").GetInt64());
        var grown = CommandLineTensor.Read(Folder("grow"), "samples2").Bytes;
        Assert.Equal(2 * first.Length, grown.Length);
        TensorAssert.SameBytes(grown.AsSpan(0, first.Length), first, "the first 128 samples");

        var again = await RunAsync(sweep, "samples=256");
        Assert.Equal(0, again.GetProperty("evaluations").GetInt64());
        Assert.Equal(256 * Steps * Stages, Evaluations);
    }

    [Fact]
    public async Task Run_SweepsThatShareAStage_RunItOnce()
    {
        const int Steps = 10;
        var first = WriteSweep("first", "stages: [sample, invert]");
        var second = WriteSweep(
            "second",
            "stages: [sample, invert]\ninterventions:\n  - forward: { before: 3, seed: 9 }\n  - swap: { type: eps, before: 1 }\n");

        await RunAsync(first, "samples=32");
        Assert.Equal(32 * 2 * Steps, Evaluations);

        // Sampling and plain inversion are there; forward replacement skips 3 steps and the swap one. The swap needs the last
        // prediction of sampling, which the first sweep did not keep: that stage alone runs again.
        await RunAsync(second, "samples=32");
        Assert.Equal(32 * ((2 * Steps) + (Steps - 3) + (Steps - 1) + Steps), Evaluations);
        TensorAssert.SameBytes(
            CommandLineTensor.Read(Folder("second"), "latents").Bytes, CommandLineTensor.Read(Folder("first"), "latents").Bytes,
            "the shared latents");
    }

    /// <summary>Evaluations of all commands on the store.</summary>
    long Evaluations => BinaryPrimitives.ReadInt64LittleEndian(File.ReadAllBytes(_folder.At("out/.taba/evaluations")));

    /// <summary>Samples, inverts and reconstructs in a store of its own.</summary>
    /// <returns>The run's folder, unless it is a part.</returns>
    async Task<string> SampleAsync(string network, string store, params string[] flags)
    {
        var model = E2eCase.Read(network).WriteModel(_folder);
        var saveDir = _folder.At($"{store}/run");
        await InProcess.DoneAsync([
            "sample", "adm", "--model", model, "--num_inference_steps", "5", "--n_samples", $"{Samples}", "--seed", "420",
            "--with_inversion", "--with_reconstruction", "--save_dir", saveDir, .. flags,
        ]);
        return saveDir;
    }

    /// <summary>Runs a sweep into the shared store.</summary>
    /// <returns>What it says at its end.</returns>
    async Task<JsonElement> RunAsync(string sweep, params string[] overrides)
    {
        var done = await InProcess.DoneAsync(["run", sweep, .. overrides, "--out", _folder.At("out"), "--json"]);
        return JsonDocument.Parse(done.LastLine).RootElement;
    }

    string Folder(string sweep) => _folder.At($"out/{sweep}/pixels_T10_seed7");

    string WriteSweep(string name, string lines)
    {
        TinyModels.Gaussian(_folder.At("pixels", "model.json"), imageSize: 4);
        return _folder.Write($"{name}.yaml", $"model: pixels/model.json\nseed: 7\nnum_inference_steps: 10\n{lines}\n");
    }

    static JsonElement MetricsOf(string run)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(run, "metrics.json")));
        return document.RootElement.Clone();
    }
}

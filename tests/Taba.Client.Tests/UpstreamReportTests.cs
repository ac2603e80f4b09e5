using System.Text.Json.Nodes;
using Taba.Client.Reports;
using Taba.Storage.RunFolders;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary><c>taba report</c> over folders that Python wrote: tensors and metrics.json, and nothing of ours.</summary>
public sealed class UpstreamReportTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    [Fact]
    public async Task Report_OverUpstreamsFolders_FindsThemAndComputesTheFloor()
    {
        var plain = await UpstreamAsync("sampling_invert_reconstruction", "seed_420", "sample", "--n_samples", "16", "--with_inversion");
        var ours = ReportRun.Read(OutputFolder.At(_taba.At("own", "sample")))!;
        var before = await File.ReadAllTextAsync(Path.Combine(plain, "metrics.json"));
        await UpstreamAsync(
            Path.Combine("invert", "forward_before2"), "seed_42", "forward", "--input_image_path", Path.Combine(plain, "samples.pt"),
            "--forward_before_t", "2", "--forward_seed", "21", "--with_reconstruction");

        await _taba.DoneAsync("report", _taba.At("experiments"));

        var rows = (await File.ReadAllLinesAsync(_taba.At("experiments", "results.csv"))).Select(l => l.Split(',')).ToList();
        Assert.Equal(3, rows.Count);
        Assert.Equal(["", "forward"], Column("intervention_type"));
        Assert.Equal(["", "2"], Column("before"));
        Assert.Equal(["", "21"], Column("forward_seed"));
        Assert.Equal(["cifar_pixel_32", "cifar_pixel_32"], Column("model"));
        Assert.Equal(["16", "16"], Column("samples"));
        // Upstream writes no floor: it is that of the noise in the folder.
        Assert.Equal(ours.Metric("noise_correlation.mean")!.Value, double.Parse(Column("noise_correlation_mean")[0]), 1e-6);
        var page = await File.ReadAllTextAsync(_taba.At("experiments", "report.html"));
        Assert.Contains("<title>experiments</title>", page, StringComparison.Ordinal);
        Assert.Contains("forward K = 2", page, StringComparison.Ordinal);
        // One group, although the forward script's own seed is another.
        Assert.Contains("<h2>cifar_pixel_32, T = 10, N = 16</h2>", page, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllTextAsync(Path.Combine(plain, "metrics.json")));
        Assert.False(File.Exists(Path.Combine(plain, "manifest.json")));

        List<string> Column(string name) => [.. rows.Skip(1).Select(r => r[Array.IndexOf(rows[0], name)])];
    }

    [Fact]
    public async Task Report_WithoutMetrics_ComputesThem()
    {
        var plain = await UpstreamAsync("sampling", "run", "sample", "--n_samples", "16", "--with_inversion");
        File.Delete(Path.Combine(plain, "metrics.json"));
        var ours = ReportRun.Read(OutputFolder.At(_taba.At("own", "sample")))!;
        var theirs = ReportRun.Read(OutputFolder.At(plain))!;
        Assert.Equal(ours.Metrics.Keys.Order(), theirs.Metrics.Keys.Order());
        Assert.Equal(ours.Metric("correlation.mean")!.Value, theirs.Metric("correlation.mean")!.Value, 1e-6);
    }

    [Theory]
    [InlineData("cposix\nsystem\n(S'echo hi > hacked'\ntR.")]
    [InlineData("no tensor at all")]
    public async Task Report_OverAHostileFile_IsRefusedAndRunsNothing(string content)
    {
        var run = Directory.CreateDirectory(_taba.At("experiments", "dit", "run")).FullName;
        await File.WriteAllTextAsync(Path.Combine(run, "samples.pt"), content);
        Assert.Contains("samples.pt", await _taba.RefuseAsync("report", _taba.At("experiments")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Report_OverSeveralSweeps_IsOneOfAllUnderTheFoldersName()
    {
        foreach (var name in (string[])["one", "two"])
        {
            var sweep = _taba.Write($"{name}.yaml", $"name: {name}\nmodel: {_taba.GaussianModel()}\nsamples: 12\nseed: {name.Length}\n"
                + $"num_inference_steps: {(name == "one" ? 10 : 20)}\n");
            await _taba.DoneAsync("run", sweep, "--out", _taba.At("experiments"));
        }

        await _taba.DoneAsync("report", _taba.At("experiments"), "--json");

        Assert.Equal(2, (int)JsonNode.Parse(_taba.Last.Output)!["runs"]!);
        var lines = await File.ReadAllLinesAsync(_taba.At("experiments", "results.csv"));
        Assert.EndsWith(",one,one/g_T10_seed3", lines[1], StringComparison.Ordinal);
        Assert.EndsWith(",two,two/g_T20_seed3", lines[2], StringComparison.Ordinal);
        var page = await File.ReadAllTextAsync(_taba.At("experiments", "report.html"));
        Assert.Contains("<title>experiments</title>", page, StringComparison.Ordinal);
        // The store is no sweep.
        Assert.True(Directory.Exists(_taba.At("experiments", ".taba")));
    }

    /// <summary>A folder as Python leaves it.</summary>
    async Task<string> UpstreamAsync(string kind, string name, string command, params string[] arguments)
    {
        await _taba.DoneAsync(
        [
            command, "gaussian", "--model", _taba.GaussianModel(), "--num_inference_steps", "10", .. arguments, "--save_dir",
            _taba.At("own", command),
        ]);
        var folder = _taba.At("experiments", "cifar_pixel_32", kind, name);
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(_taba.At("own", command), "*.pt"))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        var metrics = JsonNode.Parse(await File.ReadAllTextAsync(_taba.At("own", command, "metrics.json")))!;
        metrics["metrics"]!.AsObject().Remove("noise_correlation");
        metrics["_params"]!["model_name"] = "cifar_pixel_32";
        await File.WriteAllTextAsync(Path.Combine(folder, "metrics.json"), metrics.ToJsonString());
        return folder;
    }
}

using System.Text;
using System.Text.Json.Nodes;
using Taba.Client.Reports;
using Taba.Silo.Outputs;
using Taba.Storage.RunFolders;
using Taba.Testing.Client;
using Taba.Testing.Commands;

namespace Taba.Client.Tests;

/// <summary>The numbers of a run's folder that are no metrics of pictures: times, counts, and numbers that are none.</summary>
public sealed class OutputNumbersTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    [Fact]
    public async Task Metrics_OfOneSample_AreNaNAsPythonWritesIt()
    {
        await SampleAsync("one", "--n_samples", "1", "--with_inversion");

        var text = await File.ReadAllTextAsync(_taba.At("out", "one", "metrics.json"));
        Assert.Contains("\"correlation\": {\n      \"mean\": NaN,\n      \"std\": NaN\n    }", text, StringComparison.Ordinal);
        Assert.DoesNotContain("\"NaN\"", text, StringComparison.Ordinal);
        var metrics = ReportRun.Read(OutputFolder.At(_taba.At("out", "one")))!.Metrics;
        // A correlation over one sample is none; what is over elements is a number.
        Assert.Equal(
            ["correlation.mean", "correlation.std", "noise_correlation.mean", "noise_correlation.std"],
            metrics.Where(m => double.IsNaN(m.Value)).Select(m => m.Key).Order());
        Assert.All(
            metrics.Where(m => !m.Key.Contains("correlation", StringComparison.Ordinal)), m => Assert.True(double.IsFinite(m.Value)));
        Assert.Contains(",NaN,NaN,", await File.ReadAllTextAsync(_taba.At("out", "one", "results.csv")), StringComparison.Ordinal);
    }

    [Fact]
    public void PythonJson_NumbersThatAreNone_AreBareWordsAndReadAgain()
    {
        var json = Encoding.UTF8.GetString(PythonJson.Write(new JsonObject
        {
            ["a"] = double.NaN, ["b"] = double.PositiveInfinity, ["c"] = double.NegativeInfinity, ["d"] = "NaN \"Infinity\" \\",
            ["e"] = new JsonArray(1, null, double.NaN), ["NaN"] = true,
        })).Replace("\n", "", StringComparison.Ordinal).Replace("  ", "", StringComparison.Ordinal);
        Assert.Equal(
            "{\"a\": NaN,\"b\": Infinity,\"c\": -Infinity,\"d\": \"NaN \\\"Infinity\\\" \\\\\",\"e\": [1,null,NaN],\"NaN\": true}", json);
        var read = PythonJson.Read(Encoding.UTF8.GetBytes(json))!;
        Assert.Equal("NaN \"Infinity\" \\", (string)read["d"]!);
        Assert.True((bool)read["NaN"]!);
        var numbers = ReportRun.Numbers(read);
        Assert.Equal(
            (double.NaN, double.PositiveInfinity, double.NegativeInfinity), (numbers["a"], numbers["b"], numbers["c"]));
        // What earlier versions wrote.
        Assert.Equal(double.NaN, ReportRun.Numbers(PythonJson.Read("{\"a\": \"NaN\"}"u8))["a"]);
    }

    [Theory]
    [InlineData("--input_image_path", "samples.pt")]
    [InlineData("--input_noise_path", "noise.pt")]
    public async Task Parameters_OfGivenRows_CountThem(string flag, string file)
    {
        await SampleAsync("base", "--n_samples", "6");

        await SampleAsync("given", "--n_samples", "1024", flag, _taba.At("out", "base", file), "--with_inversion");
        await SampleAsync("part", "--n_parts", "3", "--part_idx", "1", flag, _taba.At("out", "base", file), "--with_inversion");

        Assert.Equal(6, Parameter("given"));
        Assert.Equal(6, Parameter("part_part_1"));
        Assert.Equal(6, Parameter("base"));

        int Parameter(string run) => (int)JsonNode.Parse(File.ReadAllText(_taba.At("out", run, "metrics.json")))!["_params"]!["n_samples"]!;
    }

    /// <summary>Every part says what it took, so that a folder can always tell it, whichever command writes it.</summary>
    [Fact]
    public async Task WallSeconds_OfReusedWork_AreThoseThatItTook()
    {
        await SampleAsync("run", "--n_samples", "16", "--with_inversion");
        var first = Manifest();
        Directory.Delete(_taba.At("out", "run"), recursive: true);
        await SampleAsync("run", "--n_samples", "16", "--with_inversion");
        Assert.Equal(first.WallSeconds, Manifest().WallSeconds);
        Assert.True(first.WallSeconds > 0);

        await SampleAsync("run", "--n_samples", "80", "--with_inversion");

        var extended = Manifest();
        Assert.Equal(first.Stages[0].Parts[0].Attempt, extended.Stages[0].Parts[0].Attempt);
        Assert.Equal(80 * 10 * 2, extended.Stages.Sum(s => s.Evaluations));
        Assert.True(extended.WallSeconds > first.WallSeconds);
        Assert.Equal(extended.Stages.Sum(s => s.Seconds), extended.WallSeconds);

        RunFolder Manifest() => RunFolder.Read(_taba.At("out", "run"))!;
    }

    Task<CommandResult> SampleAsync(string run, params string[] more) => _taba.DoneAsync(
    [
        "sample", "gaussian", "--model", _taba.GaussianModel(), "--num_inference_steps", "10", .. more, "--save_dir", _taba.At("out", run),
    ]);
}

using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Taba.Silo.Outputs;
using Taba.Testing;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>The sweeps of configs/paper: large ones are planned without weights or network, small ones are run.</summary>
public sealed partial class PresetTests : IDisposable
{
    static readonly string s_folder = Path.GetFullPath(Path.Combine(Fixtures.Root, "..", "..", "configs", "paper"));

    static readonly string s_page = Path.GetFullPath(Path.Combine(s_folder, "..", "..", "docs", "guide", "paper.md"));

    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    public static TheoryData<string> Large =>
        [.. Directory.GetFiles(s_folder, "*.yaml").Select(f => Path.GetFileNameWithoutExtension(f)!).Order()];

    [Theory]
    [MemberData(nameof(Large))]
    public async Task Plan_OfAPreset_CostsWhatItsFileAndThePageSay(string name)
    {
        var file = Path.Combine(s_folder, $"{name}.yaml");
        await _taba.DoneAsync("plan", file, "--out", _taba.At("out"), "--json");
        var plan = JsonNode.Parse(_taba.Last.Output)!;
        Assert.Equal(name, (string)plan["sweep"]!);
        string[] costs =
        [
            ((long)plan["evaluations"]!).ToString("#,0", CultureInfo.InvariantCulture),
            Rounded(((double)plan["store_bytes"]! + (double)plan["folder_bytes"]!) / (1L << 30)),
            Rounded((double)plan["h200_seconds"]! / 3600),
        ];
        var said = Costs().Match(await File.ReadAllTextAsync(file));
        Assert.Equal(costs, said.Groups.Values.Skip(1).Select(g => g.Value));
        var row = (await File.ReadAllLinesAsync(s_page)).First(l => l.StartsWith($"| `{name}` |", StringComparison.Ordinal));
        Assert.Equal(costs, row.Split('|', StringSplitOptions.TrimEntries)[3..6]);
        Assert.Null(plan["estimated_seconds"]);
        Assert.False(Directory.Exists(_taba.At("out")));
    }

    [Fact]
    public async Task Plan_OfPublishedNetworks_TellsTheirWorkBeforeAnyTimeIsKnown()
    {
        await _taba.DoneAsync("plan", Path.Combine(s_folder, "correlation.yaml"), "--out", _taba.At("out"));
        Assert.Contains(
            "work of the networks: 1,097.5 PFLOP, which an H200 at 40 % of its speed in half precision does in 57 min",
            _taba.Last.Output, StringComparison.Ordinal);
        Assert.Contains("estimated time: unknown", _taba.Last.Output, StringComparison.Ordinal);
        // Of another size, and of networks that nobody counted, there is none.
        await _taba.DoneAsync(
            "plan", _taba.Write("s.yaml", "model: ldm-celebahq-256\nsample_size: 32\nsamples: 4"), "--out", _taba.At("out"), "--json");
        Assert.Null(JsonNode.Parse(_taba.Last.Output)!["h200_seconds"]);
    }

    [Fact]
    public void Small_OfEveryKindOfPreset_IsThere()
    {
        string[] small = [.. Directory.GetFiles(Path.Combine(s_folder, "small")).Select(f => Path.GetFileNameWithoutExtension(f)!)];
        Assert.All(Large, row => Assert.Contains(row.Data.Split("-ldm")[0].Split("-dit")[0].Split("-if")[0].Split("-adm")[0], small));
        Assert.Equal(9, small.Length);
    }

    [Fact]
    public async Task Correlation_IsOfNoiseLatentsAndSamples()
    {
        var run = Assert.Single(await RunAsync("correlation"));
        Assert.True(Number(run, "correlation_mean_low") < Number(run, "correlation_mean_high"));
        // Pictures are plain within 8x8 pixels, noise is not.
        Assert.InRange(Number(run, "correlation_samples_mean"), 0.9, 1);
        Assert.InRange(Number(run, "noise_correlation_mean"), 0.3, 0.5);
        var metrics = PythonJson.Read(await File.ReadAllBytesAsync(_taba.At("out", "correlation-small", run["run"], "metrics.json")))!;
        Assert.Equal(Number(run, "correlation_mean"), (double)metrics["metrics"]!["correlation"]!["mean"]!);
        Assert.Equal(
            Number(run, "correlation_samples_mean"), (double)metrics["analyses"]!["correlation"]!["samples"]!["mean"]!);
    }

    [Fact]
    public async Task PlainAreas_AreAShareOfThePicturesWithLatentsThatVaryLess()
    {
        var run = Assert.Single(await RunAsync("plain-areas"));
        Assert.InRange(Number(run, "plain_areas_plain_fraction"), 0.2, 0.8);
        Assert.True(Number(run, "plain_areas_plain_latent_std") < Number(run, "plain_areas_other_latent_std"));
        Assert.All(new[] { "plain", "other" }, area => Assert.InRange(Number(run, $"plain_areas_{area}_error"), 0.1, 1));
    }

    [Fact]
    public async Task Swap_IsEveryKOfTwoSeeds()
    {
        var runs = await RunAsync("swap");
        Assert.Equal(["", "1", "5", "", "1", "5"], runs.Select(r => r["before"]));
        Assert.Equal(2, runs.Select(r => r["seed"]).Distinct().Count());
        // With all predictions true the latents are nearly the noise.
        foreach (var seed in runs.GroupBy(r => r["seed"]))
            Assert.True(
                Number(seed.Single(r => r["before"] == "5"), "reconstruction_error_noise")
                < 0.5 * Number(seed.Single(r => r["before"].Length == 0), "reconstruction_error_noise"));
    }

    [Fact]
    public async Task Angles_AreOfEveryT()
    {
        var runs = await RunAsync("angles");
        Assert.Equal(["2", "5", "10"], runs.Select(r => r["num_inference_steps"]));
        foreach (var run in runs)
        {
            Assert.InRange(new[] { "img", "noise", "latent" }.Sum(corner => Number(run, $"geometry_mean_cossim_{corner}")), 175, 185);
            Assert.True(Number(run, "geometry_mean_l2_noise_lat") < Number(run, "geometry_mean_l2_img_noise"));
        }
    }

    [Fact]
    public async Task Triangle_IsAWholeOne()
    {
        var run = Assert.Single(await RunAsync("triangle"));
        Assert.Equal(180, new[] { "latent", "sample", "noise" }.Sum(corner => Number(run, $"geometry_triangle_{corner}")));
    }

    [Fact]
    public async Task Trajectory_HasTheStatesOfEveryStepAndWhatTheyAreNearer()
    {
        var row = Assert.Single(await RunAsync("trajectory"));
        // Sampling begins at the noise.
        Assert.Equal(32, Number(row, "trajectories_sampling_0_closer_to_noise"));
        for (var step = 0; step <= 10; step++)
        {
            foreach (var way in (string[])["sampling", "inversion"])
                Assert.Equal(
                    32,
                    Number(row, $"trajectories_{way}_{step}_closer_to_noise") + Number(row, $"trajectories_{way}_{step}_closer_to_latent"));
        }
        var metrics = PythonJson.Read(await File.ReadAllBytesAsync(_taba.At("out", "trajectory-small", row["run"], "metrics.json")))!;
        var distances = metrics["analyses"]!["trajectories"]!["sampling"]!["0"]!["distances"]!.AsArray();
        Assert.Equal((25, 0.0), (distances.Count, (double)distances[0]!));
        var run = RunFolder.Read(_taba.At("out", "trajectory-small", "demo_T10_seed420"))!;
        foreach (var name in (string[])["all_t_samples", "all_t_latents"])
            Assert.Equal([10, 32, 3, 32, 32], run.Tensors.Single(t => t.Name == name).Shape);
    }

    [Fact]
    public async Task TSweep_InvertsTheSameSamplesInEveryT()
    {
        var runs = await RunAsync("t-sweep");
        Assert.Equal(["2", "5", "10"], runs.Select(r => r["inversion_steps"]));
        Assert.All(runs, r => Assert.Equal("5", r["num_inference_steps"]));
        Assert.Equal(3, runs.Select(r => Number(r, "correlation_mean")).Distinct().Count());
        Assert.Single(runs.Select(r => Number(r, "noise_correlation_mean")).Distinct());
    }

    [Fact]
    public async Task Forward_IsEveryKOfTwoForwardSeedsWithTheirMeans()
    {
        var runs = await RunAsync("forward");
        Assert.Equal(["", "1", "1", "4", "4"], runs.Select(r => r["before"]));
        var points = _finding!["groups"]![0]!["points"]!.AsArray();
        Assert.Equal([1, 2, 2], points.Select(p => (int)p!["reconstruction_error_images"]!["count"]!));
        Assert.Equal(
            runs.Where(r => r["before"] == "4").Average(r => Number(r, "reconstruction_error_images")),
            (double)points[2]!["reconstruction_error_images"]!["mean"]!, 1e-6);
        Assert.NotNull(points[2]!["reconstruction_error_images"]!["low"]);
        // More steps replaced cost reconstruction.
        Assert.True(
            (double)points[2]!["reconstruction_error_images"]!["mean"]! > (double)points[0]!["reconstruction_error_images"]!["mean"]!);
    }

    [Fact]
    public async Task Nearest_IsOfSamplesAlone()
    {
        var run = Assert.Single(await RunAsync("nearest"));
        Assert.InRange(Number(run, "partners_sample_of_noise_mean"), 0.9, 1);
        Assert.InRange(Number(run, "partners_noise_of_sample_mean"), 0.3, 1);
    }

    JsonNode? _finding;

    /// <summary>Runs a small preset.</summary>
    /// <returns>The rows of results.csv.</returns>
    async Task<List<Dictionary<string, string>>> RunAsync(string name)
    {
        await _taba.DoneAsync("run", Path.Combine(s_folder, "small", $"{name}.yaml"), "--out", _taba.At("out"), "--json");
        _finding = JsonNode.Parse(_taba.Last.Output.Split('\n').Single(l => l.Contains("\"finding\"", StringComparison.Ordinal)));
        var lines = (await File.ReadAllLinesAsync(_taba.At("out", $"{name}-small", "results.csv"))).Select(l => l.Split(',')).ToList();
        return [.. lines.Skip(1).Select(l => lines[0].Zip(l).ToDictionary(p => p.First, p => p.Second))];
    }

    static double Number(Dictionary<string, string> row, string column) => double.Parse(row[column], CultureInfo.InvariantCulture);

    static string Rounded(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);

    [GeneratedRegex(@"# Its models are public\. Costs: ([\d,]+) evaluations, ([\d.]+) GiB, ([\d.]+) H200-hours\.\n")]
    private static partial Regex Costs();
}

using System.Globalization;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using ParquetSharp;
using Taba.Testing.Client;

namespace Taba.Client.Tests;

/// <summary>What a sweep leaves for people and programs to look at: the figures of its report, results.csv and results.parquet.</summary>
public sealed class ResultsTests : IDisposable
{
    readonly CommandLine _taba = new();

    public void Dispose() => _taba.Dispose();

    [Fact]
    public async Task Run_WithInternal_HasEveryFigureInItsReportAndAsAFile()
    {
        await RunAsync("internal: true");

        var files = Directory.GetFiles(_taba.At("out", "s", "figures")).Select(Path.GetFileName).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(
            [
                "g-t-10-n-40-over-k-correlation.svg", "g-t-10-n-40-over-k-deviation.svg", "g-t-10-n-40-over-k-error.svg",
                "g-t-10-n-40-pictures.svg", "g-t-10-n-40-plain-areas.svg", "g-t-10-n-40-quantiles.svg",
                "g-t-10-n-40-trajectory.svg", "g-t-10-n-40-triangle.svg",
            ],
            files);
        var page = await File.ReadAllTextAsync(_taba.At("out", "s", "report.html"));
        foreach (var file in files)
        {
            Assert.Contains($"href=\"figures/{file}\"", page, StringComparison.Ordinal);
            Assert.Equal("svg", XDocument.Load(_taba.At("out", "s", "figures", file!)).Root!.Name.LocalName);
        }
        Assert.Equal(files.Count - 1, page.Split("<svg class=\"figure\"").Length - 1);
        // The page loads nothing: its figures and pictures are within.
        Assert.DoesNotContain("src=\"figures", page, StringComparison.Ordinal);
        // Original, plain inversion, two K; noise and latents, samples, differences of three samples.
        var pictures = XDocument.Load(_taba.At("out", "s", "figures", "g-t-10-n-40-pictures.svg"));
        Assert.Equal(3 * (4 + 4 + 3), pictures.Descendants().Count(e => e.Name.LocalName == "image"));
    }

    [Fact]
    public async Task Run_WithoutInternal_HasNoFigureOfSteps()
    {
        await RunAsync("");
        var files = Directory.GetFiles(_taba.At("out", "s", "figures"));
        Assert.DoesNotContain(
            files, f => f.Contains("trajectory", StringComparison.Ordinal) || f.Contains("plain", StringComparison.Ordinal));
        Assert.Contains(files, f => f.Contains("triangle", StringComparison.Ordinal));
        var page = await File.ReadAllTextAsync(_taba.At("out", "s", "report.html"));
        Assert.DoesNotContain("Distance of sampling", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Parquet_OfARun_HasTheNumbersOfTheCsvTypedAndARowAMetric()
    {
        await RunAsync("guidance_scale: [1]");

        var lines = (await File.ReadAllLinesAsync(_taba.At("out", "s", "results.csv"))).Select(l => l.Split(',')).ToList();
        var rows = lines.Skip(1).Select(l => lines[0].Zip(l).ToDictionary(p => p.First, p => p.Second)).ToList();
        using var file = new ParquetFileReader(_taba.At("out", "s", "results.parquet"));
        using var group = file.RowGroup(0);
        var run = Column<string>("run");
        var metric = Column<string>("metric");
        var value = Column<double?>("value");
        var (low, high, p) = (Column<double?>("low"), Column<double?>("high"), Column<double?>("p"));
        var (before, seed, samples) = (Column<long?>("before"), Column<long?>("seed"), Column<long?>("samples"));
        Assert.Equal(3, run.Distinct().Count());
        Assert.Equal(rows.Count, run.Zip(metric).Where(r => r.Second == "correlation_mean").Count());
        for (var i = 0; i < metric.Length; i++)
        {
            var row = rows.Single(r => r["run"] == run[i]);
            Assert.Equal(double.Parse(row[metric[i]], CultureInfo.InvariantCulture), value[i]);
            Assert.Equal(Number(row, $"{metric[i]}_low"), low[i]);
            Assert.Equal(Number(row, $"{metric[i]}_high"), high[i]);
            Assert.Equal(Number(row, $"{metric[i]}_p"), p[i]);
            Assert.Equal((Number(row, "before"), (double?)7, (double?)40), (before[i], seed[i], samples[i]));
        }
        // As many as results.csv has numbers of metrics, and no other.
        var written = rows.Sum(r => metric.Distinct().Count(m => r[m].Length > 0));
        Assert.Equal(written, metric.Length);
        Assert.Equal(run.Zip(metric).Distinct().Count(), metric.Length);

        T[] Column<T>(string name)
        {
            var at = Enumerable.Range(0, file.FileMetaData.Schema.NumColumns).Single(i => file.FileMetaData.Schema.Column(i).Name == name);
            using var column = group.Column(at);
            using var reader = column.LogicalReader<T>();
            return reader.ReadAll((int)group.MetaData.NumRows);
        }

        static double? Number(Dictionary<string, string> row, string name) =>
            row.GetValueOrDefault(name) is { Length: > 0 } text ? double.Parse(text, CultureInfo.InvariantCulture) : null;
    }

    [Fact]
    public async Task Csv_OfInterventions_TellsWhatIsAboveTheNoiseAndAgainstPlainInversion()
    {
        await RunAsync("");

        var lines = (await File.ReadAllLinesAsync(_taba.At("out", "s", "results.csv"))).Select(l => l.Split(',')).ToList();
        var rows = lines.Skip(1).Select(l => lines[0].Zip(l).ToDictionary(p => p.First, p => p.Second)).ToList();
        var plain = rows.Single(r => r["before"].Length == 0);
        var json = JsonNode.Parse(await File.ReadAllTextAsync(_taba.At("out", "s", plain["run"], "metrics.json")))!["intervals"]!;
        Assert.Equal((double)json["correlation_above_noise"]!["mean"]!, double.Parse(plain["correlation_above_noise"]), 1e-12);
        Assert.Equal((double)json["correlation_above_noise"]!["p_value"]!, double.Parse(plain["correlation_above_noise_p"]), 1e-12);
        Assert.Equal("", plain["correlation_mean_minus_plain"]);
        foreach (var row in rows.Where(r => r != plain))
        {
            foreach (var name in (string[])["correlation_mean", "reconstruction_error_images", "latent_stats_std"])
            {
                var difference = Number(row, $"{name}_minus_plain");
                Assert.Equal(Number(row, name) - Number(plain, name), difference, 1e-12);
                Assert.InRange(difference, Number(row, $"{name}_minus_plain_low"), Number(row, $"{name}_minus_plain_high"));
                Assert.InRange(Number(row, $"{name}_minus_plain_p"), 0, 1);
            }
        }

        static double Number(Dictionary<string, string> row, string name) => double.Parse(row[name], CultureInfo.InvariantCulture);
    }

    async Task RunAsync(string more)
    {
        var sweep = _taba.Write("s.yaml", $$"""
            name: s
            model: {{_taba.GaussianModel()}}
            samples: 40
            seed: 7
            num_inference_steps: 10
            stages: [sample, invert, reconstruct]
            interventions:
              - forward: { before: [1, 3], seed: 9 }
            {{more}}
            """);
        await _taba.DoneAsync("run", sweep, "--out", _taba.At("out"));
    }
}

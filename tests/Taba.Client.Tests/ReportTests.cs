using System.Collections.Immutable;
using System.Globalization;
using Taba.Client.Reports;
using Taba.Client.Running;
using Taba.Silo.Outputs;
using Taba.Silo.Pictures;
using Taba.Storage.RunFolders;

namespace Taba.Client.Tests;

public sealed class ReportTests
{
    [Fact]
    public void Page_WithHostileText_EscapesIt()
    {
        const string Hostile = "<script>alert('x')</script>\"&";
        var page = PageOf(Hostile, [new RunSection(Run(Hostile), [new("samples", Hostile, [1, 2, 3])])]);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;", page, StringComparison.Ordinal);
        Assert.Contains("data:image/png;base64,AQID", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_OfAGroup_ShowsTheFloorAndSaysWhatCameOut()
    {
        var page = Page(Run("c", Forward(10), 0.25), Run("a", null, 0.5), Run("b", Forward(3), 0.21));
        Assert.Contains("class=\"floor\"", page, StringComparison.Ordinal);
        Assert.Contains("correlation of 0.5, 2.50 times the noise floor of 0.2", page, StringComparison.Ordinal);
        Assert.Contains("forward K = 3 has the lowest", page, StringComparison.Ordinal);
        Assert.True(page.IndexOf("forward K = 3", StringComparison.Ordinal) < page.IndexOf("forward K = 10", StringComparison.Ordinal));
    }

    [Fact]
    public void Page_OfSeveralSeeds_ShowsTheirMeanAndSpreadOnce()
    {
        var page = Page(
            Run("a", null, 0.4, seed: 1), Run("b", null, 0.5, seed: 2), Run("c", null, 0.6, seed: 3), Run("d", Forward(1), 0.3, seed: 1));
        Assert.Equal(1, Count(page, "<h2>demo, T = 10, N = 16</h2>"));
        Assert.Equal(["noise floor", "plain inversion", "forward K = 1"], Labels(page, "Patch correlation of latents"));
        Assert.Contains("0.500 <small>0.252 to 0.748</small>", page, StringComparison.Ordinal);
        Assert.Contains("0.500 (0.252 to 0.748) (mean of 3 seeds)", page, StringComparison.Ordinal);
        Assert.Contains("<td class=\"number\">3</td>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_OfNumbersWithIntervals_SaysWhatNSupports()
    {
        var plain = With(Run("a", null, 0.23, samples: 64), ("correlation_above_noise", 0.02, 0.04), ("correlation.mean", 0.22, 0.24));
        var forward = With(
            Run("b", Forward(3), 0.21, samples: 64), ("correlation_above_noise", -0.01, 0.03), ("correlation.mean", 0.2, 0.22));
        var page = Page(plain, forward);
        Assert.Contains(
            "correlation of 0.2300 (0.2200 to 0.2400), above the noise floor of 0.2: 1.15 times as much.", page, StringComparison.Ordinal);
        Assert.Contains("lowest, 0.2100 (0.2000 to 0.2200): not told apart from the floor at N = 64.", page, StringComparison.Ordinal);
        Assert.Contains("class=\"range\"", page, StringComparison.Ordinal);
        Assert.Contains("Bars are 95 % intervals over samples.", page, StringComparison.Ordinal);
        var lines = FindingText.Lines(ReportGroup.Of([new(plain, []), new(forward, [])]));
        Assert.Contains("0.2300 ± 0.010 ", lines[2], StringComparison.Ordinal);
        Assert.Contains("0.2100 ± 0.010*", lines[3], StringComparison.Ordinal);
        Assert.Contains(lines, line => line.Contains("* not told apart", StringComparison.Ordinal));
        Assert.Contains("not told apart at N = 64 from", Page(forward with { Manifest = plain.Manifest }), StringComparison.Ordinal);
    }

    [Fact]
    public void Page_OfRunsOfTheSameSamples_ComparesThemPairedWithPlainInversion()
    {
        double[] rows = [.. Enumerable.Range(0, 20).Select(i => 0.05 * Math.Sin(i))];
        var plain = Replicated(Run("a", null, 0.3), rows.Select(r => 0.3 + r));
        var forward = Replicated(Run("b", Forward(1), 0.28), rows.Select((r, i) => 0.28 + r + 0.001 * Math.Cos(i * i)));
        var difference = PlainDifference.Of(
            ReportPoint.Of([new(forward, [])])[0], ReportPoint.Of([new(plain, [])])[0], "correlation.mean")!;
        Assert.True(difference.IsTold);
        Assert.True(difference.PValue < 0.001);
        Assert.True(difference.Interval!.Value.Holds(-0.02));
        Assert.Contains("−0.02", Page(plain, forward), StringComparison.Ordinal);
        Assert.Contains("&lt; 0.001", Page(plain, forward), StringComparison.Ordinal);
        // Of other samples nothing is known but the difference itself.
        Assert.DoesNotContain("Against plain inversion", Page(plain, Replicated(Run("b", Forward(1), 0.28), [])), StringComparison.Ordinal);
    }

    /// <summary>Forward commands have a seed of their own that draws nothing: it must not part them from the run they began with.</summary>
    [Fact]
    public void Page_OfCommandsWithOtherSeeds_IsOneGroup()
    {
        var page = Page(Run("base", null, 0.4, seed: 420), Run("fwd1", Forward(1), 0.3, seed: 42), Run("fwd3", Forward(3), 0.2, seed: 42));
        Assert.Equal(1, Count(page, "<h2>demo, T = 10"));
    }

    [Fact]
    public void Page_OfTwoForwardSeeds_HasNoTwoBarsOfOneName()
    {
        var page = Page(Run("a", Forward(1, 7), 0.3), Run("b", Forward(1, 999), 0.32), Run("c", Forward(3, 7), 0.31));
        var labels = Labels(page, "Patch correlation of latents");
        Assert.Equal(labels.Distinct(), labels);
        Assert.Contains("0.310 <small>0.183 to 0.437</small>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_OfFoldersThatNoFieldSetsApart_NamesTheFolders()
    {
        var page = Page(Run("one", null, 0.3), Run("two", null, 0.5));
        Assert.Contains("<span class=\"dot-label\">plain inversion, one</span>", page, StringComparison.Ordinal);
        Assert.Contains("<span class=\"dot-label\">plain inversion, two</span>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_OfSweepsThatNoFieldSetsApart_NamesTheSweepsAndKeepsTheirMeans()
    {
        var page = Page(
            Run("a/1", null, 0.3), Run("a/2", null, 0.5, seed: 2), Run("b/1", null, 0.6), Run("b/2", null, 0.8, seed: 2));
        Assert.Equal(["noise floor", "plain inversion, a", "plain inversion, b"], Labels(page, "Patch correlation of latents"));
        Assert.Contains("0.40 <small>−0.87 to 1.67</small>", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_OfOneRunInTwoFolders_CountsItOnce()
    {
        var run = Run("one", null, 0.3);
        Assert.DoesNotContain("plain inversion, ", Labels(Page(run, run with { Below = "copy" }), "Patch correlation of latents"));
    }

    [Fact]
    public void Page_OfFewSamples_SaysThatNothingCanBeTold()
    {
        var page = Page(Run("a", null, 1, samples: 2), Run("b", Forward(1), 1, samples: 2));
        Assert.Contains("N = 2 is too small to tell", page, StringComparison.Ordinal);
        Assert.DoesNotContain("times the", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_OfSeveralKAndT_HasAChartOverEach()
    {
        var page = Page(
            Run("a", null, 0.5), Run("b", Forward(1), 0.4), Run("c", Forward(50), 0.3), Run("d", null, 0.45, steps: 100),
            Run("e", Forward(1), 0.35, steps: 100));
        Assert.Contains("Patch correlation of latents over K", page, StringComparison.Ordinal);
        Assert.Contains("Patch correlation of latents over T", page, StringComparison.Ordinal);
        // A place for each K, plain inversion as 0, whatever lies between their numbers.
        foreach (var place in (string[])["0", "1", "50", "10", "100"])
            Assert.Contains($"text-anchor=\"middle\">{place}</text>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("over T", Page(Run("a", null, 0.5), Run("b", Forward(1), 0.4)), StringComparison.Ordinal);
    }

    [Fact]
    public void Page_WithoutMetrics_IsStillAPage()
    {
        var run = Run("r") with { Metrics = new Dictionary<string, double>() };
        Assert.EndsWith("</html>\n", Page(run), StringComparison.Ordinal);
    }

    [Fact]
    public void ToldNumbers_OfARun_HaveTheEndsOfTheirIntervalsBesideThem()
    {
        var run = With(Run("a", null, 0.23), ("correlation_above_noise", 0.02, 0.04), ("correlation.mean", 0.22, 0.24));
        run = run with { Metrics = new Dictionary<string, double>(run.Metrics) { ["correlation.std"] = double.NaN } };
        var told = ToldMetrics.Numbers(run).ToDictionary(n => n.Name, n => n.Value);
        Assert.Equal((0.23, 0.22, 0.24), (told["correlation.mean"], told["correlation.mean.low"], told["correlation.mean.high"]));
        Assert.Equal(0.03, told["correlation_above_noise"], 1e-12);
        Assert.Equal(0.02, told["correlation_above_noise.low"]);
        Assert.DoesNotContain("correlation.std", told.Keys);
        Assert.DoesNotContain("reconstruction_error_images.low", told.Keys);
    }

    [Fact]
    public void Csv_OfRuns_QuotesAndDisarms()
    {
        var lines = ResultsCsv.Of([Run("=1+1"), Run("a,\"b\"", Forward(1), 0.25)]).Split("\r\n");
        Assert.StartsWith("run,samples,intervention,model,", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("'=1+1,16,,demo", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("\"a,\"\"b\"\"\",16,forward_before1", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public void Csv_OfEveryIntervention_HasAColumnForEachField()
    {
        var rows = Rows(ResultsCsv.Of(
        [
            Run("a"), Run("b", Forward(1, 7), 0.3), Run("c", Forward(1, 999), 0.3),
            Run("d", new RunIntervention("swap", 3) { SwapType = "xt" }, 0.3, seed: 2) is var swap
                ? swap with { Metrics = new Dictionary<string, double>(swap.Metrics) { ["plain-areas.plain.error"] = 1 } }
                : swap,
        ]));
        string[] fields = ["intervention_type", "before", "swap_type", "forward_seed", "forward_alignment", "seed"];
        Assert.Equal(
            ["|||||1", "forward|1||7|upstream|1", "forward|1||999|upstream|1",
                "swap|3|xt|||2"],
            rows.Select(row => string.Join('|', fields.Select(f => row[f]))));
        Assert.Equal(["0.3"], rows.Skip(1).Select(r => r["correlation_mean"]).Distinct());
        Assert.All(rows[0].Keys, name => Assert.Matches("^[a-z][a-z0-9_]*$", name));
        Assert.Equal(rows.Count, rows.DistinctBy(r => string.Join('|', fields.Select(f => r[f]))).Count());
    }

    [Fact]
    public void Csv_OfRunsOfSeveralSweeps_HasNoTwoRowsOfOneKey()
    {
        var rows = Rows(ResultsCsv.Of([Run("r") with { Below = "one/r" }, Run("r") with { Below = "two/r" }]));
        Assert.Equal(["one/r", "two/r"], rows.Select(r => r["folder"]));
    }

    [Fact]
    public void Csv_OfNumbersWithIntervals_HasTheirEnds()
    {
        var rows = Rows(ResultsCsv.Of([With(Run("a"), ("correlation.mean", 0.25, 0.35)), Run("b", Forward(1))]));
        Assert.Equal(("0.25", "0.35"), (rows[0]["correlation_mean_low"], rows[0]["correlation_mean_high"]));
        Assert.Equal("", rows[1]["correlation_mean_low"]);
    }

    [Fact]
    public void Csv_OfRuns_HasTheTimeOfTheStages()
    {
        var row = Rows(ResultsCsv.Of([Run("a")])).Single();
        Assert.Equal(("160", "2.5"), (row["evaluations"], row["wall_seconds"]));
    }

    [Fact]
    public void Finding_OfManyRuns_FitsTwelveLinesOfEightyColumns()
    {
        var runs = Enumerable.Range(0, 3).SelectMany(seed => Enumerable.Range(0, 26).Select(
            k => Run($"{seed}-{k}", k == 0 ? null : Forward(k), 0.3 + 0.01 * k + 0.001 * seed, seed: seed)));
        var lines = FindingText.Lines(ReportGroup.Of(runs.Select(r => new RunSection(r, []))));
        Assert.Equal(14, lines.Count);
        Assert.All(lines, line => Assert.True(line.Length <= 80, line));
        Assert.Equal("demo, T = 10, N = 16, mean of 3  patch correlation image error", lines[0]);
        Assert.Equal("  noise (the floor)              0.2 ± 0", lines[1]);
        Assert.Equal("  plain inversion                0.30100 ± 0.0025  0.1 ± 0", lines[2]);
        Assert.Equal(["  and 18 more in the report", "  ± is half of a 95 % interval"], lines.TakeLast(2));
    }

    [Fact]
    public void Finding_WithoutLatents_TellsNothing() =>
        Assert.Empty(FindingText.Lines(ReportGroup.Of([new RunSection(Run("a") with { Metrics = new Dictionary<string, double>() }, [])])));

    [Fact]
    public void Png_OfManyImages_IsAGridOfEightColumns()
    {
        var png = PictureGrid.Png(new float[10 * 3 * 4 * 4], 3, 4, 4, ValueRange.Image);
        using var bitmap = SkiaSharp.SKBitmap.Decode(png);
        // 96-pixel tiles, two pixels between them.
        Assert.Equal((8 * 98 - 2, 2 * 98 - 2), (bitmap.Width, bitmap.Height));
        Assert.Equal(128, bitmap.GetPixel(0, 0).Red);
    }

    [Theory]
    [InlineData(-5, 0)]
    [InlineData(0, 128)]
    [InlineData(5, 255)]
    [InlineData(float.NaN, 0)]
    public void Range_OfAValue_IsClamped(float value, byte expected) => Assert.Equal(expected, ValueRange.Image.Byte(value));

    static string Page(params ReportRun[] runs) => PageOf("demo", [.. runs.Select(r => new RunSection(r, []))]);

    static string PageOf(string title, IReadOnlyList<RunSection> sections) =>
        ReportPage.Of(title, sections, ReportFigures.Of(ReportGroup.Of(sections), CancellationToken.None));

    static ReportRun With(ReportRun run, params (string Key, double Low, double High)[] intervals) =>
        run with { Intervals = intervals.ToDictionary(i => i.Key, i => new RunInterval(new(i.Low, i.High), null, [])) };

    static ReportRun Replicated(ReportRun run, IEnumerable<double> replicates) => run with
    {
        Intervals = new Dictionary<string, RunInterval> { ["correlation.mean"] = new(new(0.2, 0.4), null, [.. replicates]) },
    };

    static int Count(string page, string text) => page.Split(text).Length - 1;

    static List<string> Labels(string page, string chart)
    {
        const string Begin = "<span class=\"dot-label\">";
        var dots = page[page.IndexOf($"class=\"dots\" role=\"img\" aria-label=\"{chart}\"", StringComparison.Ordinal)..];
        return [.. dots[..dots.IndexOf("</div>", StringComparison.Ordinal)].Split(Begin).Skip(1).Select(l => l[..l.IndexOf('<')])];
    }

    static List<Dictionary<string, string>> Rows(string csv)
    {
        var lines = csv.TrimEnd().Split("\r\n").Select(l => l.Split(',')).ToList();
        return [.. lines.Skip(1).Select(l => lines[0].Zip(l).ToDictionary(p => p.First, p => p.Second))];
    }

    static RunIntervention Forward(int before, long seed = 999) =>
        new("forward", before) { ForwardSeed = seed, ForwardAlignment = "upstream" };

    static ReportRun Run(
        string name, RunIntervention? intervention = null, double correlation = 0.3, int seed = 1, int steps = 10, int samples = 16) => new(
        OutputFolder.At("/tmp/" + name.Length),
        new RunFolder
        {
            Sweep = "demo",
            SweepId = "id",
            Run = name,
            Axes = ImmutableSortedDictionary<string, string>.Empty.Add("model", "demo")
                .Add("seed", seed.ToString(CultureInfo.InvariantCulture))
                .Add("num_inference_steps", steps.ToString(CultureInfo.InvariantCulture)),
            Intervention = intervention is null ? null : $"{intervention.Type}_before{intervention.Before}",
            InterventionFields = intervention,
            RowStart = 0,
            RowEnd = samples,
            Model = new("adm", "/m/model.json", null, "0123456789abcdef0123", [3, 32, 32]),
            Stages =
            [
                new("sample", $"key {name}", ImmutableSortedDictionary<string, string>.Empty.Add("input", name), [990f], 160, [])
                {
                    Seconds = 2.5,
                },
            ],
            Tensors = [],
            Device = "cpu",
            Versions = ImmutableSortedDictionary<string, string>.Empty,
            WallSeconds = 2.5,
            WrittenAt = DateTimeOffset.UnixEpoch,
        },
        new Dictionary<string, double>
        {
            ["correlation.mean"] = correlation, ["noise_correlation.mean"] = samples > 2 ? 0.2 : 1,
            ["reconstruction_error_images"] = 0.1,
        },
        new Dictionary<string, string>())
        {
            Below = name,
        };
}

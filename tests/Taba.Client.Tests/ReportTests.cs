using Taba.Storage.RunFolders;
using System.Collections.Immutable;
using Taba.Client.Reports;
using Taba.Grains.Sweeps;
using Taba.Silo.Outputs;
using Taba.Silo.Pictures;

namespace Taba.Client.Tests;

public sealed class ReportTests
{
    [Fact]
    public void Page_WithHostileText_EscapesIt()
    {
        const string Hostile = "<script>alert('x')</script>\"&";
        var page = ReportPage.Of(Hostile, [new RunSection(Run(Hostile, null, 0.3), [new("samples", Hostile, [1, 2, 3])])]);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.Contains("&lt;script&gt;", page, StringComparison.Ordinal);
        Assert.Contains("data:image/png;base64,AQID", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Page_OfAGroup_ShowsTheFloorAndSaysWhatCameOut()
    {
        var page = ReportPage.Of("demo", [Section("forward_before10", 0.25), Section(null, 0.5), Section("forward_before3", 0.21)]);
        Assert.Contains("class=\"floor\"", page, StringComparison.Ordinal);
        Assert.Contains("correlation of 0.5, 2.50 times the noise floor of 0.2", page, StringComparison.Ordinal);
        Assert.Contains("forward K = 3 has the lowest", page, StringComparison.Ordinal);
        Assert.True(page.IndexOf("forward K = 3", StringComparison.Ordinal) < page.IndexOf("forward K = 10", StringComparison.Ordinal));
    }

    [Fact]
    public void Page_WithoutMetrics_IsStillAPage()
    {
        var run = Run("r", null, double.NaN) with { Metrics = new Dictionary<string, double>() };
        Assert.EndsWith("</html>\n", ReportPage.Of("demo", [new RunSection(run, [])]), StringComparison.Ordinal);
    }

    [Fact]
    public void Csv_OfRuns_QuotesAndDisarms()
    {
        var csv = ResultsCsv.Of([Run("=1+1", null, 0.5), Run("a,\"b\"", "forward_before1", 0.25)]);
        var lines = csv.Split("\r\n");
        Assert.StartsWith("run,samples,intervention,model,", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("'=1+1,16,,demo", lines[1], StringComparison.Ordinal);
        Assert.StartsWith("\"a,\"\"b\"\"\",16,forward_before1", lines[2], StringComparison.Ordinal);
    }

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

    static RunSection Section(string? intervention, double correlation) => new(Run($"run_{intervention}", intervention, correlation), []);

    static ReportRun Run(string name, string? intervention, double correlation) => new(
        OutputFolder.At("/tmp/" + name.Length),
        new RunFolder
        {
            Sweep = "demo",
            SweepId = "id",
            Run = name,
            Axes = ImmutableSortedDictionary<string, string>.Empty.Add("model", "demo"),
            Intervention = intervention,
            RowStart = 0,
            RowEnd = 16,
            Model = new("adm", "/m/model.json", null, "0123456789abcdef0123", [3, 32, 32]),
            Stages = [new("sample", "key", ImmutableSortedDictionary<string, string>.Empty.Add("input", name), [990f], 160, [])],
            Tensors = [],
            Device = "cpu",
            Versions = ImmutableSortedDictionary<string, string>.Empty,
            WallSeconds = 1.5,
            WrittenAt = DateTimeOffset.UnixEpoch,
        },
        new Dictionary<string, double>
        {
            ["correlation.mean"] = correlation, ["noise_correlation.mean"] = 0.2,
            ["reconstruction_error_images"] = 0.1
        },
        new Dictionary<string, string>());
}

using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Xml.Linq;
using Taba.Client.Drawing;
using Taba.Client.Figures;
using Taba.Silo.Outputs;
using Taba.Storage.RunFolders;
using Taba.Testing;

namespace Taba.Client.Tests;

/// <summary>Figures over tensors whose answer is known.</summary>
public sealed class FigureTests : IDisposable
{
    static readonly XNamespace s_svg = "http://www.w3.org/2000/svg";

    readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Quantiles_OfLatentsTwiceTheirNoise_LieOnALineTwiceAsSteep()
    {
        var random = new Random(1);
        float[] noise = [.. Enumerable.Range(0, 50 * 12).Select(_ => (float)Gauss(random))];
        float[] latents = [.. noise.Select(v => 2 * v)];
        // A sample that failed counts nowhere.
        Array.Fill(latents, float.NaN, 12, 12);
        Write("noise", noise, 50, 3, 2, 2);
        Write("latents", latents, 50, 3, 2, 2);

        var figure = QuantileFigure.Of("q", [Run()], CancellationToken.None)!;

        var line = Elements(figure, "polyline").Single();
        var points = Points(line);
        Assert.Equal(256, points.Count);
        Assert.Equal(-2, (points[^1].Y - points[0].Y) / (points[^1].X - points[0].X), 0.02);
        Assert.Contains("50 samples", figure.Note, StringComparison.Ordinal);
    }

    [Fact]
    public void Triangle_OfTwoSamples_IsTheOneWhoseDegreesSumTo180()
    {
        // Two triangles of 30.5°, 70.5°, 79° and 31.3°, 70.2°, 78.5°: only 31, 70 and 79 of their whole degrees are 180 together.
        Write("samples", [0, 0, 0, 0], 2, 1, 1, 2);
        Write("noise", [1, 0, 1, 0], 2, 1, 1, 2);
        Write("latents", [.. Latent(30.5, 70.5), .. Latent(31.3, 70.2)], 2, 1, 1, 2);

        var figure = TriangleFigure.Of("t", [Run("forward K = 3")], CancellationToken.None)!;

        Assert.Equal(
            ["forward K = 3", "latent 79°", "noise 70°", "sample 31°"],
            Elements(figure, "text").Select(t => t.Value).Order(StringComparer.Ordinal));
        // Drawn with these angles; the corners are sample, noise and latent.
        var corners = Points(Elements(figure, "polyline").Single());
        Assert.Equal(31, double.RadiansToDegrees(Math.Atan2(corners[0].Y - corners[2].Y, corners[2].X - corners[0].X)), 0.1);
        Assert.Equal(70, double.RadiansToDegrees(Math.Atan2(corners[1].Y - corners[2].Y, corners[1].X - corners[2].X)), 0.1);

        static IEnumerable<float> Latent(double sample, double noise)
        {
            var side = Math.Sin(double.DegreesToRadians(noise)) / Math.Sin(double.DegreesToRadians(180 - sample - noise));
            return [(float)(side * Math.Cos(double.DegreesToRadians(sample))), (float)(side * Math.Sin(double.DegreesToRadians(sample)))];
        }
    }

    [Fact]
    public void Trajectory_ThatRunsOnTheLine_IsNearestToThePointsThatItPasses()
    {
        const int Samples = 3;
        const int Steps = 5;
        var random = new Random(2);
        float[] noise = [.. Enumerable.Range(0, Samples * 8).Select(_ => (float)Gauss(random))];
        float[] latents = [.. Enumerable.Range(0, Samples * 8).Select(_ => (float)Gauss(random))];
        Write("noise", noise, Samples, 2, 2, 2);
        Write("latents", latents, Samples, 2, 2, 2);
        // A quarter of the way at each step: points 0, 6, 12, 18 and 24 of 25.
        Write(
            "all_t_samples",
            [.. Enumerable.Range(0, Steps).SelectMany(step => noise.Zip(latents, (a, b) => a + (b - a) * step / 4))],
            Steps, Samples, 2, 2, 2);

        var figure = TrajectoryFigure.Of("d", Run(), CancellationToken.None)!;

        var marks = Elements(figure, "circle").Select(c => (X: Number(c, "cx"), Y: Number(c, "cy"))).ToList();
        Assert.Equal(Steps, marks.Count);
        var cells = Elements(figure, "rect").Where(r => r.Attribute("fill")!.Value == "#0c2c54" && Number(r, "y") > 20).ToList();
        // The darkest of each column is where the mark stands, and they climb evenly from noise to latent.
        Assert.Equal(
            marks, cells.OrderBy(c => Number(c, "x")).Select(c => (X: Middle(c, "x", "width"), Y: Middle(c, "y", "height"))), Near);
        Assert.All(marks.Zip(marks.Skip(1)), pair => Assert.Equal((marks[^1].Y - marks[0].Y) / 4, pair.Second.Y - pair.First.Y, 0.05));
        Assert.True(marks[^1].Y < marks[0].Y);

        static bool Near((double X, double Y) a, (double X, double Y) b) => Math.Abs(a.X - b.X) < 0.1 && Math.Abs(a.Y - b.Y) < 0.1;

        // Cells overlap by a hair.
        static double Middle(XElement cell, string at, string length) => Number(cell, at) + (Number(cell, length) - 0.3) / 2;
    }

    [Fact]
    public void PlainAreas_OfImagesHalfPlain_HaveTheErrorsOfEitherHalfAtTheStepsThatBelongTogether()
    {
        const int Steps = 10;
        // Left half flat, right half a chequerboard.
        float[] image = [.. Enumerable.Range(0, 64).Select(i => i % 8 < 4 ? 0f : (i % 8 + i / 8) % 2 == 0 ? 1f : -1f)];
        Write("samples", image, 1, 1, 8, 8);
        int[] kept = [0, 3, 5, 9];
        // Sampling predicts its step's number. Inversion's step k passes the levels of step 9 - k, and is wrong by k/10 in plain areas.
        Write("all_t_eps_samples", [.. kept.SelectMany(step => Enumerable.Repeat((float)step, 64))], 4, 1, 1, 8, 8);
        Write(
            "all_t_eps_latents",
            [.. kept.SelectMany(step => Enumerable.Range(0, 64).Select(i => Steps - 1 - step + (i % 8 < 3 ? step / 10f : 0.5f)))],
            4, 1, 1, 8, 8);
        var run = Run(files: [Steped("all_t_eps_samples", kept), Steped("all_t_eps_latents", kept)]) with { Steps = Steps };

        var figure = PlainAreaFigure.Of("p", run, CancellationToken.None)!;

        // 3 and 5 have no partner that was kept (6 and 4). The last corner of an image always counts as plain.
        Assert.Equal(
            ["plain areas, step 1: 0.02", "plain areas, step 10: 0.884", "elsewhere, step 1: 0.5", "elsewhere, step 10: 0.5"],
            Elements(figure, "title").Skip(1).Select(t => t.Value));
        Assert.Contains("39 %", figure.Note, StringComparison.Ordinal);
        Assert.Null(PlainAreaFigure.Of("p", run with { Steps = 20 }, CancellationToken.None));
    }

    [Fact]
    public void Figures_WithoutTheirTensors_AreNone()
    {
        Write("noise", [1, 2], 2, 1, 1, 1);
        Write("latents", [1, 2, 3], 3, 1, 1, 1);
        Assert.Null(QuantileFigure.Of("q", [Run()], CancellationToken.None));
        Assert.Null(TriangleFigure.Of("t", [Run()], CancellationToken.None));
        Assert.Null(TrajectoryFigure.Of("d", Run(), CancellationToken.None));
        Assert.Null(PlainAreaFigure.Of("p", Run(), CancellationToken.None));
    }

    [Fact]
    public void File_OfAFigure_IsXmlThatNeedsNothingElse()
    {
        var plot = new Plot("K, <steps>", "value", [new("a & \u0001b", [new(0, 0.2, 0.1, 0.3), new(1, 0.4, 0.3, 0.5)])])
        {
            Places = ["0", "1"],
            Floor = new("noise floor", 0.15, 0.14, 0.16),
        };
        var figure = new Figure("f", "Title <1>", "Note & more", plot.Draw());

        var file = XDocument.Parse(Encoding.UTF8.GetString(figure.File)).Root!;

        Assert.Equal("Title <1>", file.Element(s_svg + "title")!.Value);
        Assert.Equal("Note & more", file.Element(s_svg + "desc")!.Value);
        Assert.Contains("a & b", file.Elements(s_svg + "text").Select(t => t.Value));
        Assert.Empty(file.Descendants(s_svg + "style"));
        // Every mark has the colours of paper with it; a page's style may give it others.
        Assert.All(
            file.Elements().Where(e => e.Name.LocalName is "line" or "polyline" or "path" or "rect" or "text"),
            e => Assert.True(e.Attribute("fill") is not null || e.Attribute("stroke") is not null, e.ToString()));
        // The legend's and the one across the plot.
        var band = file.Elements(s_svg + "rect").Where(r => r.Attribute("class")?.Value == "band").MaxBy(r => Number(r, "width"))!;
        var floor = file.Elements(s_svg + "line").Where(l => l.Attribute("class")?.Value == "floor").MaxBy(l => Number(l, "x2"))!;
        Assert.Equal(Number(floor, "y1"), Number(band, "y") + Number(band, "height") / 2, 0.1);
        var whisker = file.Elements(s_svg + "line").First(l => l.Attribute("class")?.Value == "s0 whisker");
        var unit = Number(band, "height") / 0.02;
        Assert.Equal(0.2 * unit, Math.Abs(Number(whisker, "y1") - Number(whisker, "y2")), 0.5);
    }

    [Theory]
    [InlineData(0.41, 0.45, new[] { "0.41", "0.42", "0.43", "0.44", "0.45" })]
    [InlineData(-3, 3, new[] { "−2", "0", "2" })]
    // Ranges that have no round values.
    [InlineData(-1.5e308, 1.5e308, new string[0])]
    [InlineData(0, double.Epsilon, new string[0])]
    public void Labels_OfAScale_HaveTheDecimalsOfTheirSteps(double low, double high, string[] expected) =>
        Assert.Equal(expected, new ChartScale(low, high).Labels(6).Select(l => l.Words));

    FigureRun Run(string label = "plain inversion", ImmutableArray<RunFile> files = default) =>
        new(label, OutputFolder.At(_folder.Path), files.IsDefault ? [] : files, "samples", null);

    static RunFile Steped(string name, int[] steps) => new(name, $"{name}.npy", "float32", [], 0, [.. steps]);

    void Write(string name, float[] values, params int[] shape) => NumpyFile.Write(_folder.At($"{name}.npy"), values, shape);

    static IEnumerable<XElement> Elements(Figure figure, string name) =>
        XDocument.Parse(Encoding.UTF8.GetString(figure.File)).Root!.Descendants(s_svg + name);

    static List<(double X, double Y)> Points(XElement line) =>
    [
        .. line.Attribute("points")!.Value.Split(' ').Select(p => p.Split(','))
            .Select(p => (double.Parse(p[0], CultureInfo.InvariantCulture), double.Parse(p[1], CultureInfo.InvariantCulture))),
    ];

    static double Number(XElement element, string name) => double.Parse(element.Attribute(name)!.Value, CultureInfo.InvariantCulture);

    static double Gauss(Random random) =>
        Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}

using System.Globalization;
using System.Text;
using Taba.Client.Drawing;
using Taba.Client.Figures;

namespace Taba.Client.Reports;

/// <summary>The figures of a report: those over T, and those of each group. What has no tensors has no figure of them.</summary>
/// <param name="OverT">By the title of the groups that they are of.</param>
/// <param name="OfGroups">In the order of the groups.</param>
sealed record ReportFigures(
    IReadOnlyList<(string Title, IReadOnlyList<Figure> Figures)> OverT,
    IReadOnlyList<GroupFigures> OfGroups)
{
    /// <summary>Every figure, each with a file name of its own.</summary>
    public IEnumerable<Figure> All => OverT.SelectMany(t => t.Figures).Concat(OfGroups.SelectMany(g => g.All));

    /// <summary>Reads tensors a few rows at a time; of large runs their first rows only, which the figures then say.</summary>
    /// <exception cref="Taba.Diffusion.Weights.WeightsFormatException">A tensor file is damaged or hostile.</exception>
    public static ReportFigures Of(IReadOnlyList<ReportGroup> groups, CancellationToken cancellationToken)
    {
        var families = groups.GroupBy(FigureNames.FamilyTitle)
            .Select(family => (Title: family.Key, Figures: AxisCharts.OverT([.. family]))).Where(f => f.Figures.Count > 0);
        return new ReportFigures(
            [.. families],
            [.. groups.Select(g => Of(g, cancellationToken))])
            .Named();
    }

    static GroupFigures Of(ReportGroup group, CancellationToken cancellationToken)
    {
        var runs = Chosen(group);
        Figure?[] figures =
        [
            QuantileFigure.Of(FigureNames.Of(group, "quantiles"), runs, cancellationToken),
            TriangleFigure.Of(FigureNames.Of(group, "triangle"), runs, cancellationToken),
            TrajectoryFigure.Of(FigureNames.Of(group, "trajectory"), runs[0], cancellationToken),
            PlainAreaFigure.Of(FigureNames.Of(group, "plain-areas"), runs[0], cancellationToken),
        ];
        return new(
            group, AxisCharts.OverK(group), PictureStrip.Of(group), [.. figures.OfType<Figure>()],
            PublishedTable.Of(group, runs[0], cancellationToken));
    }

    /// <summary>A run of each point, all of one seed: plain inversion, and of many interventions the first and the last.</summary>
    static List<FigureRun> Chosen(ReportGroup group)
    {
        var seed = (group.Plain ?? group.Points[0]).Runs.First().Axis("seed");
        const int Half = Ink.Series / 2;
        var points = group.Points.Count <= Ink.Series ? group.Points : [.. group.Points.Take(Half), .. group.Points.TakeLast(Half)];
        return
        [
            .. points.Select(p => (p.Label, Run: p.Runs.FirstOrDefault(r => r.Axis("seed") == seed) ?? p.Runs.First())).Select(p =>
                new FigureRun(
                    p.Label, p.Run.Folder, p.Run.Manifest.Tensors,
                    p.Run.Manifest.Images.FirstOrDefault("samples"),
                    int.TryParse(p.Run.Axis("num_inference_steps"), NumberStyles.None, CultureInfo.InvariantCulture, out var steps)
                        ? steps
                        : null)),
        ];
    }

    /// <summary>Titles that differ only in what no file name can have are told apart by numbers.</summary>
    ReportFigures Named()
    {
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        return new(
            [.. OverT.Select(t => (t.Title, Unique(t.Figures)))],
            [
                .. OfGroups.Select(g => g with
                {
                    OverK = Unique(g.OverK), OfTensors = Unique(g.OfTensors), Strip = g.Strip is { } strip ? Unique([strip])[0] : null,
                }),
            ]);

        IReadOnlyList<Figure> Unique(IReadOnlyList<Figure> figures) => [.. figures.Select(figure =>
        {
            for (var number = 1; ; number++)
            {
                var name = number == 1 ? figure.Name : $"{figure.Name}-{number}";
                if (taken.Add(name))
                    return figure with { Name = name };
            }
        })];
    }

    /// <summary>Figures side by side, as HTML.</summary>
    public static string Html(IReadOnlyList<Figure> figures)
    {
        if (figures.Count == 0)
            return "";
        var html = new StringBuilder("<div class=\"pair\">");
        foreach (var figure in figures)
        {
            html.Append($"<div class=\"card\"><h3>{Reports.Html.Text(figure.Title)}</h3>{figure.Drawing.Inline(figure.Title)}");
            html.Append($"<p class=\"soft\">{Reports.Html.Text(figure.Note)} ");
            html.Append($"{Link(figure.FileName)}</p></div>");
        }
        return html.Append("</div>").ToString();
    }

    /// <summary>Where a figure lies as a file, as HTML.</summary>
    public static string Link(string file) => $"<a href=\"{SweepReport.FiguresFolder}/{Uri.EscapeDataString(file)}\">SVG</a>";
}

/// <summary>The figures of a group.</summary>
/// <param name="Pictures">Null where it has none.</param>
/// <param name="OfTensors">What is measured of its tensors for figures alone.</param>
/// <param name="Published">The paper's values beside these, as HTML; empty where there are none.</param>
sealed record GroupFigures(
    ReportGroup Group, IReadOnlyList<Figure> OverK, PictureStrip? Pictures, IReadOnlyList<Figure> OfTensors, string Published)
{
    /// <summary>The pictures as a file.</summary>
    public Figure? Strip { get; init; } =
        Pictures is null ? null : new(FigureNames.Of(Group, "pictures"), PictureStrip.Title, Pictures.Note, Pictures.Draw());

    public IEnumerable<Figure> All => OverK.Concat(Strip is null ? [] : [Strip]).Concat(OfTensors);
}

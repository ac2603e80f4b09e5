namespace Taba.Client.Drawing;

/// <summary>A value at a place of the axis.</summary>
/// <param name="Low">The end of its interval; null when it has none.</param>
readonly record struct PlotPoint(double X, double Y, double? Low = null, double? High = null)
{
    /// <summary>What a reader who points at it is told.</summary>
    public string Words { get; init; } = "";
}

/// <summary>A series.</summary>
/// <param name="IsMarked">Its points are marked in the shape of the series, of many some.</param>
sealed record PlotLine(string Name, IReadOnlyList<PlotPoint> Points, bool IsMarked = true);

/// <summary>What the values are compared with, across the plot.</summary>
readonly record struct PlotFloor(string Name, double Value, double? Low = null, double? High = null);

/// <summary>Lines over an axis, with intervals. No wider than a telephone, so that words keep their size everywhere.</summary>
/// <param name="X">What the axis below is, in words with its unit.</param>
/// <param name="Y">What the axis at the left is.</param>
sealed record Plot(string X, string Y, IReadOnlyList<PlotLine> Lines)
{
    const double Width = 360;
    const double Height = 250;
    const double Left = 62;
    const double Right = 14;
    const double Bottom = 44;
    const double LegendLine = 17;
    const double LegendKey = 24;
    const int Ticks = 6;
    const int MostMarks = 20;

    /// <summary>The places of the axis below where they are names, at equal distances: x is the number of one. Null for numbers.</summary>
    public IReadOnlyList<string>? Places { get; init; }

    public PlotFloor? Floor { get; init; }

    /// <summary>Both axes have the same scale, and the line on which they are equal is drawn under this name.</summary>
    public string? Equal { get; init; }

    public Svg Draw()
    {
        var legend = Legend();
        var top = 10 + legend.Count * LegendLine;
        var svg = new Svg(Width, top + (Equal is null ? Height - Bottom : Width - Left - Right) + Bottom);
        var (bottom, right) = (svg.Height - Bottom, Width - Right);
        var across = Lines.SelectMany(l => l.Points).Select(p => p.X);
        var up = Lines.SelectMany(l => l.Points).SelectMany(p => new[] { p.Y, p.Low ?? p.Y, p.High ?? p.Y })
            .Concat(Floor is { } f ? [f.Value, f.Low ?? f.Value, f.High ?? f.Value] : []);
        var y = ChartScale.Of(Equal is null ? up : up.Concat(across));
        var x = Equal is null ? ChartScale.Of(across) : y;

        foreach (var (at, words) in y.Labels(Ticks))
        {
            svg.Line(Ink.Grid, Left, Up(at), right, Up(at));
            svg.Text(Ink.Label, Left - 6, Up(at) + 4, words, "end");
        }
        if (Places is not null)
        {
            for (var i = 0; i < Places.Count; i++)
                svg.Text(Ink.Label, Across(i), bottom + 17, Places[i], "middle");
        }
        else
        {
            foreach (var (at, words) in x.Labels(Ticks))
                svg.Text(Ink.Label, Across(at), bottom + 17, words, "middle");
        }
        svg.Line(Ink.Grid, Left, bottom, right, bottom);
        svg.Text(Ink.Word, (Left + right) / 2, svg.Height - 8, X, "middle");
        svg.TextUpwards(Ink.Word, 13, (top + bottom) / 2, Y);
        DrawLegend(svg, legend);
        if (Floor is { } floor)
        {
            if (floor is { Low: { } low, High: { } high })
                svg.Rectangle(Ink.Band, Left, Up(high), right - Left, Math.Max(0, Up(low) - Up(high)));
            svg.Line(Ink.Floor, Left, Up(floor.Value), right, Up(floor.Value));
        }
        if (Equal is not null)
            svg.Line(Ink.Reference, Left, bottom, right, top);
        for (var i = 0; i < Lines.Count; i++)
            DrawLine(i);
        return svg;

        void DrawLine(int series)
        {
            // Intervals at one place stand beside each other.
            var aside = Places is null ? 0 : (series - (Lines.Count - 1) / 2.0) * 4;
            var points = Lines[series].Points.Where(p => double.IsFinite(p.Y)).ToList();
            svg.Lines(Ink.Stroke(series), points.Select(p => (Across(p.X) + aside, Up(p.Y))));
            // Of many points some are marked, enough to tell the series.
            var every = (points.Count + MostMarks - 1) / MostMarks;
            foreach (var point in points.Where((_, i) => Lines[series].IsMarked && i % every == 0))
            {
                if (point is { Low: { } low, High: { } high })
                    svg.Line(Ink.Whisker(series), Across(point.X) + aside, Up(low), Across(point.X) + aside, Up(high));
                svg.Mark(series, Across(point.X) + aside, Up(point.Y), point.Words);
            }
        }

        double Across(double value) => Places switch
        {
            null => Left + x.At(value) * (right - Left),
            { Count: 1 } => (Left + right) / 2,
            _ => Left + 22 + value * (right - Left - 44) / (Places.Count - 1),
        };

        double Up(double value) => top + (1 - y.At(value)) * (bottom - top);
    }

    /// <summary>Entries of the legend by lines, each with the place where it begins.</summary>
    List<List<(int Entry, double X)>> Legend()
    {
        var lines = new List<List<(int, double)>>();
        var x = double.MaxValue;
        foreach (var (words, entry) in Names().Select((words, entry) => (words, entry)))
        {
            var wide = LegendKey + Svg.WidthOf(words) + 12;
            if (x + wide > Width)
            {
                lines.Add([]);
                x = 10;
            }
            lines[^1].Add((entry, x));
            x += wide;
        }
        return lines;
    }

    void DrawLegend(Svg svg, List<List<(int Entry, double X)>> legend)
    {
        var names = Names();
        for (var line = 0; line < legend.Count; line++)
        {
            var y = 12 + line * LegendLine;
            foreach (var (entry, x) in legend[line])
            {
                if (entry < Lines.Count)
                {
                    svg.Line(Ink.Stroke(entry), x, y, x + 18, y);
                    if (Lines[entry].IsMarked)
                        svg.Mark(entry, x + 9, y);
                }
                else if (Floor is { } floor && entry == Lines.Count)
                {
                    if (floor.Low is not null)
                        svg.Rectangle(Ink.Band, x, y - 5, 18, 10);
                    svg.Line(Ink.Floor, x, y, x + 18, y);
                }
                else
                {
                    svg.Line(Ink.Reference, x, y, x + 18, y);
                }
                svg.Text(Ink.Word, x + LegendKey, y + 4, names[entry]);
            }
        }
    }

    List<string> Names() =>
        [.. Lines.Select(l => l.Name), .. Floor is { } floor ? [floor.Name] : (string[])[], .. Equal is { } equal ? [equal] : (string[])[]];
}

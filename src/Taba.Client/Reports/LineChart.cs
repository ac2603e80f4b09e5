using System.Text;

namespace Taba.Client.Reports;

/// <summary>A line of a chart: a value at some of the places of the axis.</summary>
sealed record Series(string Name, IReadOnlyDictionary<string, Estimate> Values);

/// <summary>
/// A metric over an axis as inline SVG, no wider than a telephone, so that words keep their size everywhere. The places of the axis stand
/// at equal distances, whatever their numbers.
/// </summary>
static class LineChart
{
    const int Width = 340;
    const int Height = 230;
    const int Left = 52;
    const int Right = 14;
    const int Top = 12;
    const int Bottom = 40;
    const int Ticks = 5;

    /// <summary>More lines than these cannot be told apart.</summary>
    public const int MostSeries = 6;

    /// <param name="axis">What the places are: K, T.</param>
    /// <param name="places">In order.</param>
    /// <param name="floor">A value that is marked across the chart; null for none.</param>
    public static string Html(string title, string axis, IReadOnlyList<string> places, IReadOnlyList<Series> series, double? floor)
    {
        var html = new StringBuilder("<p class=\"keys\">");
        for (var i = 0; i < series.Count; i++)
            html.Append($"<span class=\"key s{i}\">{Reports.Html.Text(series[i].Name)}</span>");
        if (floor is not null)
            html.Append("<span class=\"key key-floor\">noise floor</span>");
        return html.Append("</p>").Append(Svg(title, axis, places, series, floor)).ToString();
    }

    static string Svg(string title, string axis, IReadOnlyList<string> places, IReadOnlyList<Series> series, double? floor)
    {
        var values = series.SelectMany(s => s.Values.Values).SelectMany(v => new[] { v.Ends.Low, v.Ends.High });
        var scale = ChartScale.Of(floor is { } f ? values.Append(f) : values);
        var svg = new StringBuilder(
            $"<svg class=\"chart\" viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{Reports.Html.Text(title)}\">");
        foreach (var tick in scale.Ticks(Ticks))
        {
            svg.Append($"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(tick)}\" y2=\"{Y(tick)}\"/>");
            svg.Append($"<text x=\"{Left - 6}\" y=\"{Y(tick)}\" dy=\".35em\" text-anchor=\"end\">{Reports.Html.Number(tick)}</text>");
        }
        for (var i = 0; i < places.Count; i++)
            svg.Append($"<text x=\"{X(i)}\" y=\"{Height - Bottom + 16}\" text-anchor=\"middle\">{Reports.Html.Text(places[i])}</text>");
        svg.Append($"<text class=\"axis\" x=\"{(Left + Width - Right) / 2}\" y=\"{Height - 6}\" text-anchor=\"middle\">");
        svg.Append($"{Reports.Html.Text(axis)}</text>");
        if (floor is { } mark)
            svg.Append($"<line class=\"floor\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(mark)}\" y2=\"{Y(mark)}\"/>");
        for (var i = 0; i < series.Count; i++)
            Line(svg, i, series[i]);
        return svg.Append("</svg>").ToString();

        void Line(StringBuilder into, int index, Series line)
        {
            var points = places.Select((place, at) => (At: at, Place: place))
                .Where(p => line.Values.ContainsKey(p.Place)).Select(p => (X: X(p.At), p.Place, Value: line.Values[p.Place])).ToList();
            into.Append($"<g class=\"s{index}\"><polyline points=\"");
            into.AppendJoin(' ', points.Select(p => $"{p.X},{Y(p.Value.Mean)}")).Append("\"/>");
            foreach (var (x, place, value) in points)
            {
                if (value.Count > 1 || value.Interval is not null)
                    into.Append($"<line x1=\"{x}\" x2=\"{x}\" y1=\"{Y(value.Ends.Low)}\" y2=\"{Y(value.Ends.High)}\"/>");
                into.Append($"<circle cx=\"{x}\" cy=\"{Y(value.Mean)}\" r=\"4\"><title>{Reports.Html.Text(line.Name)}, ");
                into.Append($"{Reports.Html.Text(place)}: {Reports.Html.Number(value.Mean)}</title></circle>");
            }
            into.Append("</g>");
        }

        string X(int place) => Reports.Html.Coordinate(
            places.Count < 2 ? (Left + Width - Right) / 2.0 : Left + 12 + place * (Width - Left - Right - 24.0) / (places.Count - 1));

        string Y(double value) => Reports.Html.Coordinate(Top + (1 - scale.At(value)) * (Height - Top - Bottom));
    }
}

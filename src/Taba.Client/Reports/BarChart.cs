using System.Text;

namespace Taba.Client.Reports;

/// <summary>A bar of a chart.</summary>
/// <param name="IsReference">Drawn in grey: what the others are compared with.</param>
readonly record struct Bar(string Label, double Value, bool IsReference = false);

/// <summary>Horizontal bars from zero as inline SVG. Colours come from the page's style.</summary>
static class BarChart
{
    const int Width = 720;
    const int LabelWidth = 190;
    const int ValueWidth = 70;
    const int RowHeight = 30;
    const int BarHeight = 18;
    const int LineLabelHeight = 26;

    /// <param name="line">A value that is marked across all bars, with its name; null for none.</param>
    public static string Svg(string title, IReadOnlyList<Bar> bars, (string Label, double Value)? line)
    {
        var shown = bars.Where(b => double.IsFinite(b.Value)).ToList();
        if (shown.Count == 0)
            return "";
        var largest = Math.Max(shown.Max(b => b.Value), line is { } l && double.IsFinite(l.Value) ? l.Value : 0);
        var scale = largest > 0 ? (Width - LabelWidth - ValueWidth) / largest : 0;
        var top = line is null ? 0 : LineLabelHeight;
        var height = top + shown.Count * RowHeight + 4;
        var svg = new StringBuilder();
        svg.Append($"<svg class=\"chart\" viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"{Html.Text(title)}\">");
        for (var i = 0; i < shown.Count; i++)
            AppendBar(svg, shown[i], top + i * RowHeight, scale);
        if (line is { } mark && double.IsFinite(mark.Value))
        {
            var x = Html.Coordinate(LabelWidth + mark.Value * scale);
            svg.Append($"<line class=\"floor\" x1=\"{x}\" x2=\"{x}\" y1=\"{top - 6}\" y2=\"{height}\"/>");
            svg.Append(
                $"<text class=\"floor-label\" x=\"{x}\" y=\"{top - 12}\" text-anchor=\"middle\">{Html.Text(mark.Label)} "
                + $"{Html.Number(mark.Value)}</text>");
        }
        // After the line, which would otherwise strike through them.
        for (var i = 0; i < shown.Count; i++)
            AppendValue(svg, shown[i], top + i * RowHeight, scale);
        return svg.Append("</svg>").ToString();
    }

    static void AppendBar(StringBuilder svg, Bar bar, int top, double scale)
    {
        var length = Math.Max(0, bar.Value * scale);
        var middle = top + RowHeight / 2;
        svg.Append(
            $"<text class=\"label\" x=\"{LabelWidth - 10}\" y=\"{middle}\" dy=\".35em\" text-anchor=\"end\">{Html.Text(bar.Label)}</text>");
        svg.Append(
            $"<rect class=\"{(bar.IsReference ? "bar reference" : "bar")}\" x=\"{LabelWidth}\" y=\"{top + (RowHeight - BarHeight) / 2}\" ");
        svg.Append(
            $"width=\"{Html.Coordinate(length)}\" height=\"{BarHeight}\" rx=\"2\"><title>{Html.Text(bar.Label)}: "
            + $"{Html.Number(bar.Value)}</title></rect>");
    }

    static void AppendValue(StringBuilder svg, Bar bar, int top, double scale)
    {
        var length = Math.Max(0, bar.Value * scale);
        var middle = top + RowHeight / 2;
        svg.Append(
            $"<text class=\"value\" x=\"{Html.Coordinate(LabelWidth + length + 8)}\" y=\"{middle}\" "
            + $"dy=\".35em\">{Html.Number(bar.Value)}</text>");
    }
}

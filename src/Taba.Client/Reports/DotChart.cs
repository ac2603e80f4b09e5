using System.Text;
using Taba.Client.Drawing;

namespace Taba.Client.Reports;

/// <summary>A line of a dot chart.</summary>
/// <param name="IsReference">Drawn in grey: what the others are compared with.</param>
readonly record struct Dot(string Label, Estimate Value, bool IsReference = false);

/// <summary>
/// Values as dots on a common axis, with their 95 % intervals as bars: HTML, so that words keep their size on a small screen. The axis
/// spans the values and need not begin at zero; its ends are written.
/// </summary>
static class DotChart
{
    /// <param name="line">A value that is marked across all lines; null for none.</param>
    public static string Html(string title, IReadOnlyList<Dot> dots, double? line)
    {
        if (dots.Count == 0)
            return "";
        var scale = ChartScale.Of(dots.SelectMany(d => new[] { d.Value.Ends.Low, d.Value.Ends.High }).Append(line ?? dots[0].Value.Mean));
        var html = new StringBuilder($"<div class=\"dots\" role=\"img\" aria-label=\"{Reports.Html.Text(title)}\">");
        foreach (var dot in dots)
        {
            html.Append($"<span class=\"dot-label\">{Reports.Html.Text(dot.Label)}</span><span class=\"track\">");
            if (line is { } mark)
                html.Append($"<i class=\"floor\" style=\"left:{Percent(scale.At(mark))}\"></i>");
            if (dot.Value.Count > 1 || dot.Value.Interval is not null)
            {
                var (low, high) = (scale.At(dot.Value.Ends.Low), scale.At(dot.Value.Ends.High));
                html.Append(
                    $"<i class=\"range{(dot.IsReference ? " reference" : "")}\" "
                    + $"style=\"left:{Percent(low)};width:{Percent(high - low)}\"></i>");
            }
            html.Append(
                $"<i class=\"{(dot.IsReference ? "dot reference" : "dot")}\" style=\"left:{Percent(scale.At(dot.Value.Mean))}\"></i></span>"
                + $"<span class=\"dot-value\">{Reports.Html.Estimate(dot.Value)}</span>");
        }
        return html.Append(
            $"<span></span><span class=\"ends\"><span>{Reports.Html.Number(scale.Low)}</span><span>{Reports.Html.Number(scale.High)}</span>"
            + "</span><span></span></div>").ToString();
    }

    static string Percent(double share) => $"{Reports.Html.Coordinate(100 * share)}%";
}

using System.Text;
using Taba.Client.Reports;

namespace Taba.Client.Comparing;

/// <summary>A comparison as a self-contained page, in the report's style.</summary>
static class ComparisonPage
{
    public static string Of(Comparison comparison)
    {
        var html = new StringBuilder(ReportPage.Head("Comparison"));
        html.Append($"<h1>Comparison</h1><dl><dt>A</dt><dd>{Html.Text(comparison.A)}</dd>");
        html.Append($"<dt>B</dt><dd>{Html.Text(comparison.B)}</dd></dl>");
        if (comparison.Settings.Count == 0)
            html.Append("<p>No setting differs.</p>");
        foreach (var table in ComparisonTables.Of(comparison))
            Table(html, table);
        foreach (var sentence in ComparisonTables.Notes(comparison))
            html.Append($"<p class=\"soft\">{Html.Text(sentence)}</p>");
        return html.Append("</body></html>\n").ToString();
    }

    static void Table(StringBuilder html, ComparisonTable table)
    {
        html.Append("<div class=\"card scroll\"><table>");
        for (var row = 0; row < table.Rows.Count; row++)
        {
            html.Append(row == 0 ? "<thead><tr>" : "<tr>");
            var cell = row == 0 ? "th" : "td";
            for (var column = 0; column < table.Rows[row].Length; column++)
                html.Append($"<{cell}{(column < table.Words ? "" : " class=\"number\"")}>{Html.Text(table.Rows[row][column])}</{cell}>");
            html.Append(row == 0 ? "</tr></thead><tbody>" : "</tr>");
        }
        html.Append("</tbody></table></div>");
    }
}

using System.Text;
using Taba.Client.Drawing;

namespace Taba.Client.Reports;

/// <summary>The same samples under every intervention of a group side by side: what K does to one picture.</summary>
/// <param name="Columns">The original, then the interventions in the order of their kinds and K.</param>
/// <param name="Rows">Of each sample its noise and latents, itself and its reconstructions, and their differences.</param>
/// <param name="Note">What was left out, and what the differences are; for below.</param>
sealed record PictureStrip(IReadOnlyList<string> Columns, IReadOnlyList<StripRow> Rows, string Note)
{
    public const string Title = "The same samples under every intervention";

    const int Most = 24;

    /// <summary>Images larger than this are shown of one sample only: a page holds its pictures.</summary>
    const int SmallImage = 64;

    const int SmallSamples = 3;
    const double Side = 96;
    const double Gap = 4;

    /// <summary>Null where no run has latents or reconstructions.</summary>
    public static PictureStrip? Of(ReportGroup group)
    {
        // One seed: other noise is another picture.
        var first = group.Plain?.Runs.First() ?? group.Runs.First();
        var samples = first.Manifest.Model.StateShape.Skip(1).DefaultIfEmpty(0).Max() <= SmallImage ? SmallSamples : 1;
        var runs = group.Points.Take(Most)
            .Select(p => (p.Label, Run: p.Runs.FirstOrDefault(r => r.Axis("seed") == first.Axis("seed")) ?? p.Runs.First())).ToList();
        var rows = Enumerable.Range(0, samples).Select(_ => new List<StripRow>()).ToList();
        Add("noise, latents", Tiles(first, "noise"), run => Tiles(run, "latents"));
        Add("sample, reconstructions", Tiles(first, "samples"), run => Tiles(run, "samples2"));
        Add("difference", [], run => RunPictures.Differences(run.Folder, run.Manifest, samples));
        if (rows.All(r => r.Count == 0))
            return null;
        var left = group.Points.Count > Most
            ? $" The first {Most} of {group.Points.Count} interventions; all runs stand below."
            : "";
        return new(
            ["original", .. runs.Select(r => r.Label)],
            [.. rows.SelectMany(r => r)],
            $"Differences are those of sample and reconstruction, white from 0.5 on (images: −1 to 1).{left}");

        IReadOnlyList<byte[]> Tiles(ReportRun run, string name) => RunPictures.Tiles(run.Folder, run.Manifest, name, samples);

        void Add(string what, IReadOnlyList<byte[]> original, Func<ReportRun, IReadOnlyList<byte[]>> tiles)
        {
            var columns = runs.Select(r => tiles(r.Run)).ToList();
            for (var i = 0; i < samples; i++)
            {
                if (columns.Any(c => i < c.Count))
                    rows[i].Add(new($"sample {i}", what, [.. columns.Prepend(original).Select(c => i < c.Count ? c[i] : null)]));
            }
        }
    }

    /// <summary>For a page, where it may be wider than the screen.</summary>
    /// <param name="file">The same as a file.</param>
    public string Html(string file)
    {
        var html = new StringBuilder($"<div class=\"card\"><h3>{Title}</h3>");
        html.Append("<div class=\"scroll\"><table class=\"strip\"><thead><tr><th></th>");
        foreach (var column in Columns)
            html.Append($"<th>{Reports.Html.Text(column)}</th>");
        html.Append("</tr></thead><tbody>");
        foreach (var row in Rows)
        {
            html.Append($"<tr><th>{row.Sample}<br>{row.What}</th>");
            foreach (var tile in row.Tiles)
            {
                html.Append("<td>");
                if (tile is not null)
                    html.Append($"<img alt=\"\" src=\"data:image/png;base64,{Convert.ToBase64String(tile)}\">");
                html.Append("</td>");
            }
            html.Append("</tr>");
        }
        html.Append($"</tbody></table></div><p class=\"soft\">{Reports.Html.Text(Note)} {ReportFigures.Link(file)}</p></div>");
        return html.ToString();
    }

    /// <summary>As a file of its own.</summary>
    public Svg Draw()
    {
        var left = Rows.Max(r => Svg.WidthOf(r.What)) + 2 * Gap;
        var wide = Math.Max(Side + Gap, Columns.Max(Svg.WidthOf) + 3 * Gap);
        var svg = new Svg(left + Columns.Count * wide, 24 + Rows.Count * (Side + Gap));
        for (var column = 0; column < Columns.Count; column++)
            svg.Text(Ink.Word, left + (column + 0.5) * wide, 15, Columns[column], "middle");
        for (var row = 0; row < Rows.Count; row++)
        {
            var y = 24 + row * (Side + Gap);
            svg.Text(Ink.Word, left - 2 * Gap, y + Side / 2 - 4, Rows[row].Sample, "end");
            svg.Text(Ink.Label, left - 2 * Gap, y + Side / 2 + 12, Rows[row].What, "end");
            for (var column = 0; column < Columns.Count; column++)
            {
                if (Rows[row].Tiles[column] is { } tile)
                    svg.Picture(left + (column + 0.5) * wide - Side / 2, y, Side, tile);
            }
        }
        return svg;
    }
}

/// <summary>A row of pictures.</summary>
/// <param name="Tiles">PNG, one a column; null where there is none.</param>
sealed record StripRow(string Sample, string What, IReadOnlyList<byte[]?> Tiles);

using System.Text;

namespace Taba.Client.Reports;

/// <summary>The same samples under every intervention of a group side by side: what K does to one picture.</summary>
static class PictureStrip
{
    const int Most = 24;

    /// <summary>Images larger than this are shown of one sample only: a page holds its pictures.</summary>
    const int SmallImage = 64;

    const int SmallSamples = 3;

    /// <summary>Empty where no run has latents or reconstructions.</summary>
    public static string Of(ReportGroup group)
    {
        // One seed: other noise is another picture.
        var first = group.Plain?.Runs.First() ?? group.Runs.First();
        var samples = first.Manifest.Model.StateShape.Skip(1).DefaultIfEmpty(0).Max() <= SmallImage ? SmallSamples : 1;
        var columns = group.Points.Take(Most)
            .Select(p => (Point: p, Run: p.Runs.FirstOrDefault(r => r.Axis("seed") == first.Axis("seed")) ?? p.Runs.First()))
            .Select(p => (p.Point, Latents: Tiles(p.Run, "latents"), Again: Tiles(p.Run, "samples2"))).ToList();
        var (noise, originals) = (Tiles(first, "noise"), Tiles(first, "samples"));
        var count = columns.SelectMany(c => new[] { c.Latents.Count, c.Again.Count }).DefaultIfEmpty(0).Max();
        if (count == 0)
            return "";
        var html = new StringBuilder("<div class=\"card\"><h3>The same samples under every intervention</h3>");
        html.Append("<div class=\"scroll\"><table class=\"strip\"><thead><tr><th></th><th>original</th>");
        foreach (var (point, _, _) in columns)
            html.Append($"<th>{Html.Text(point.Label)}</th>");
        html.Append("</tr></thead><tbody>");
        for (var i = 0; i < count; i++)
        {
            if (columns.Any(c => i < c.Latents.Count))
                Row(html, "noise, latents", i, noise, columns.Select(c => c.Latents));
            if (columns.Any(c => i < c.Again.Count))
                Row(html, "sample, reconstructions", i, originals, columns.Select(c => c.Again));
        }
        html.Append("</tbody></table></div>");
        if (group.Points.Count > Most)
            html.Append($"<p class=\"soft\">The first {Most} of {group.Points.Count} interventions; all runs stand below.</p>");
        return html.Append("</div>").ToString();

        IReadOnlyList<byte[]> Tiles(ReportRun run, string name) => RunPictures.Tiles(run.Folder, run.Manifest, name, samples);
    }

    static void Row(
        StringBuilder html, string what, int sample, IReadOnlyList<byte[]> original, IEnumerable<IReadOnlyList<byte[]>> columns)
    {
        html.Append($"<tr><th>sample {sample}<br>{what}</th>");
        foreach (var tiles in columns.Prepend(original))
        {
            html.Append("<td>");
            if (sample < tiles.Count)
                html.Append($"<img alt=\"\" src=\"data:image/png;base64,{Convert.ToBase64String(tiles[sample])}\">");
            html.Append("</td>");
        }
        html.Append("</tr>");
    }
}

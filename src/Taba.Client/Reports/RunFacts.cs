using System.Globalization;
using System.Text;
using Taba.Grains.Words;

namespace Taba.Client.Reports;

/// <summary>The facts of a run's manifest as HTML.</summary>
static class RunFacts
{
    public static string Of(ReportRun run)
    {
        var manifest = run.Manifest;
        var html = new StringBuilder("<details><summary>How it was made</summary><dl>");
        Fact("folder", Path.GetFileName(Path.TrimEndingDirectorySeparator(run.Folder.Place)));
        if (manifest.Model.Digest.Length > 0)
            Fact(
                "model",
            $"{manifest.Model.Family}, state {string.Join('×', manifest.Model.StateShape)}, digest "
            + $"{manifest.Model.Digest[..Math.Min(16, manifest.Model.Digest.Length)]}");
        Fact("rows", $"{manifest.RowStart} to {manifest.RowEnd - 1}");
        Fact("device", manifest.Device);
        Fact("versions", string.Join(", ", manifest.Versions.Select(v => $"{v.Key} {v.Value}")));
        Fact("written", manifest.WrittenAt.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture));
        if (run.Seconds is { } seconds)
            Fact("computing", Quantities.Duration(TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 1e9))));
        foreach (var note in manifest.Notes)
            Fact("note", note);
        html.Append("</dl>");
        foreach (var stage in manifest.Stages)
        {
            html.Append($"<h4>{Html.Text(stage.Kind)}</h4><dl>");
            Fact("key", stage.Key);
            foreach (var (name, value) in stage.Fields.Where(f => f.Key is not "stage"))
                Fact(name, value);
            Fact("timesteps", string.Join(' ', stage.Timesteps.Select(t => t.ToString("0.###", CultureInfo.InvariantCulture))));
            Fact("network evaluations", Quantities.Count(stage.Evaluations));
            Fact("parts", $"{stage.Parts.Length}");
            html.Append("</dl>");
        }
        return html.Append("</details>").ToString();

        void Fact(string name, string value) => html.Append($"<dt>{Html.Text(name)}</dt><dd>{Html.Text(value)}</dd>");
    }
}

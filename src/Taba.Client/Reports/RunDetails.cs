using System.Security.Cryptography;
using System.Text;

namespace Taba.Client.Reports;

/// <summary>Every run of a group by itself: its settings, its pictures, how it was made.</summary>
static class RunDetails
{
    /// <param name="open">Shown at once; otherwise behind a line to be clicked.</param>
    public static string Of(ReportGroup group, bool open)
    {
        var html = new StringBuilder($"<h3>{Html.Text(group.Title)}</h3>");
        var shown = new Dictionary<string, RunSection>();
        foreach (var section in group.Points.SelectMany(p => p.Sections))
            Run(html, section, shown, open);
        return html.ToString();
    }

    /// <summary>The place of a run within the page.</summary>
    public static string Anchor(ReportRun run) => $"run-{Uri.EscapeDataString(run.Below.Length > 0 ? run.Below : run.Manifest.Run)}";

    /// <param name="shown">Who showed a picture first, by its bytes: runs share noise and samples, which are shown once.</param>
    static void Run(StringBuilder html, RunSection section, Dictionary<string, RunSection> shown, bool open)
    {
        html.Append($"<details class=\"run\"{(open ? " open" : "")}><summary>{Html.Text(Name(section.Run))}</summary>");
        html.Append($"<div id=\"{Html.Text(Anchor(section.Run))}\">");
        var shared = new List<(string Name, RunSection First)>();
        foreach (var picture in section.Pictures)
        {
            var digest = $"{picture.Name} {Convert.ToHexString(SHA256.HashData(picture.Png))}";
            if (shown.TryAdd(digest, section))
                Figure(html, picture);
            else
                shared.Add((picture.Name, shown[digest]));
        }
        foreach (var same in shared.GroupBy(s => s.First))
        {
            html.Append($"<p class=\"soft\">{Html.Text(string.Join(" and ", same.Select(s => s.Name)))} as in ");
            html.Append($"<a href=\"#{Html.Text(Anchor(same.Key.Run))}\">{Html.Text(Name(same.Key.Run))}</a>.</p>");
        }
        html.Append(RunFacts.Of(section.Run)).Append("</div></details>");
    }

    static string Name(ReportRun run)
    {
        var seed = run.Axis("seed") is { Length: > 0 } s ? $", seed {s}" : "";
        var forward = run.Intervention?.ForwardSeed is { } f ? $", forward seed {f}" : "";
        return $"{RunLabels.Of(run.Intervention)}{seed}{forward}";
    }

    static void Figure(StringBuilder html, RunPicture picture) => html.Append(
        $"<figure><figcaption>{Html.Text(picture.Title)}</figcaption><img alt=\"{Html.Text(picture.Title)}\" "
        + $"src=\"data:image/png;base64,{Convert.ToBase64String(picture.Png)}\"></figure>");
}

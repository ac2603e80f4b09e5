using System.Globalization;
using Taba.Storage.RunFolders;
using System.Text;
using Taba.Grains;
using Taba.Silo.Outputs;

namespace Taba.Client.Reports;

/// <summary>The files of a report.</summary>
sealed record SweepReportFiles(string Html, string Csv, int Runs);

/// <summary>Makes report.html, results.csv and the picture grids of a sweep's folder from what lies in it.</summary>
static class SweepReport
{
    const string Html = "report.html";
    const string Csv = "results.csv";

    /// <param name="folder">A sweep's folder, with run folders below it, or one run's folder.</param>
    /// <param name="title">The sweep's name; null takes it from the manifests.</param>
    /// <exception cref="BadInputException">There is no run in the folder, or one that cannot be read.</exception>
    public static SweepReportFiles Write(OutputFolder folder, string? title = null)
    {
        var runs = Read(folder);
        var sections = runs.Select(run => new RunSection(run, RunPictures.Write(run.Folder, run.Manifest))).ToList();
        folder.Write(Csv, Encoding.UTF8.GetBytes(ResultsCsv.Of(runs)));
        folder.Write(Html, Encoding.UTF8.GetBytes(ReportPage.Of(title ?? runs[0].Manifest.Sweep, sections)));
        return new(PlaceOf(Html), PlaceOf(Csv), runs.Count);

        string PlaceOf(string file) => folder.LocalPath(file) ?? $"{folder.Place}/{file}";
    }

    static List<ReportRun> Read(OutputFolder folder)
    {
        if (ReportRun.Read(folder) is { } single)
            return [single];
        var runs = folder.Folders().Select(ReportRun.Read).OfType<ReportRun>()
            .OrderBy(r => r.Axis("model"), StringComparer.Ordinal)
            .ThenBy(r => Number(r.Axis("num_inference_steps")))
            .ThenBy(r => Number(r.Axis("seed")))
            .ThenBy(r => r.Manifest.Intervention is null ? 0 : 1)
            .ThenBy(r => r.Manifest.Intervention, StringComparer.Ordinal)
            .ToList();
        return runs.Count > 0
            ? runs
            : throw new BadInputException(
                $"{folder.Place} holds no run (a folder with manifest.json): give the folder of a sweep, or of one run.");
    }

    static double Number(string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : double.MaxValue;
}

/// <summary>A run with its pictures.</summary>
sealed record RunSection(ReportRun Run, IReadOnlyList<RunPicture> Pictures);

using System.Text;
using Taba.Grains;
using Taba.Storage.RunFolders;

namespace Taba.Client.Reports;

/// <summary>The files of a report, and the runs that it tells of.</summary>
sealed record SweepReportFiles(string Html, string Csv, IReadOnlyList<ReportRun> Runs);

/// <summary>Makes report.html, its figures, results.csv, results.parquet and picture grids from the runs that lie in a folder.</summary>
static class SweepReport
{
    const string Html = "report.html";
    const string Csv = "results.csv";
    const string Parquet = "results.parquet";

    /// <summary>Beside the page.</summary>
    public const string FiguresFolder = "figures";

    /// <param name="folder">A sweep's folder, with run folders below it, a folder of such folders, or one run's folder.</param>
    /// <param name="title">The sweep's name; null takes it from the runs, or from the folder when they are of several sweeps.</param>
    /// <param name="ours">Folders without a manifest are unfinished ones of ours; else they are upstream's.</param>
    /// <exception cref="BadInputException">There is no run in the folder, or one that cannot be read.</exception>
    public static SweepReportFiles Write(
        OutputFolder folder, string? title = null, bool ours = false, CancellationToken cancellationToken = default)
    {
        var runs = RunSearch.In(folder, ours);
        var sections = runs.Select(run => new RunSection(run, RunPictures.Write(run.Folder, run.Manifest))).ToList();
        folder.Write(Csv, Encoding.UTF8.GetBytes(ResultsCsv.Of(runs)));
        folder.Write(Parquet, ResultsParquet.Of(runs));
        var figures = ReportFigures.Of(ReportGroup.Of(sections), cancellationToken);
        foreach (var figure in figures.All)
            folder.Below(FiguresFolder).Write(figure.FileName, figure.File);
        folder.Write(Html, Encoding.UTF8.GetBytes(ReportPage.Of(title ?? TitleOf(folder, runs), sections, figures)));
        return new(PlaceOf(Html), PlaceOf(Csv), runs);

        string PlaceOf(string file) => folder.LocalPath(file) ?? $"{folder.Place}/{file}";
    }

    static string TitleOf(OutputFolder folder, IReadOnlyList<ReportRun> runs)
    {
        if (runs.Select(r => r.Manifest.Sweep).Distinct().Count() == 1 && runs[0].Manifest.SweepId.Length > 0)
            return runs[0].Manifest.Sweep;
        var path = Path.GetDirectoryName(folder.LocalPath(Html)) is { } local ? Path.GetFullPath(local) : folder.Place;
        return Path.GetFileName(Path.TrimEndingDirectorySeparator(path));
    }
}

/// <summary>A run with its pictures.</summary>
sealed record RunSection(ReportRun Run, IReadOnlyList<RunPicture> Pictures);

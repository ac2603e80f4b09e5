using Taba.Storage.RunFolders;
using System.CommandLine;
using System.Text.Json;
using Taba.Client.Planning;
using Taba.Client.Reports;
using Taba.Grains;
using Taba.Silo.Outputs;

namespace Taba.Client.Commands;

/// <summary><c>taba report DIR</c></summary>
static class ReportCommand
{
    public static Command Create(CommandServices services)
    {
        var folder = new Argument<string>("DIR")
        {
            Description = "A sweep's folder, a folder of several, or one run's; ours or upstream's.",
        };
        var json = Flags.Switch("json", "Machine-readable lines, no colours.");
        var command = new Command(
            "report", "Makes report.html, results.csv, figures and picture grids anew from a sweep's run folders.") { folder, json };
        command.SetAction((parsed, interrupted) =>
        {
            var path = parsed.GetValue(folder)!;
            if (!Directory.Exists(path))
                throw new BadInputException($"There is no folder {path}.");
            OutputPlace.Require(
                path, "the report is written beside the runs, so give this user the right to write there, or report a copy");
            var files = SweepReport.Write(OutputFolder.At(path), cancellationToken: interrupted);
            services.Terminal.Output.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(
                new { report = files.Html, results = files.Csv, runs = files.Runs.Count }) : files.Html);
            return Task.FromResult(ExitStatus.Done);
        });
        return command.WithExamples("taba report experiments/demo", "taba report experiments");
    }
}

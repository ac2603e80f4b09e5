using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Taba.Client.Measuring;
using Taba.Client.Planning;
using Taba.Client.Reports;
using Taba.Diffusion.Metrics.Analyses;
using Taba.Diffusion.Weights;
using Taba.Grains;
using Taba.Grains.Words;
using Taba.Silo.Outputs;
using Taba.Storage.RunFolders;

namespace Taba.Client.Commands;

/// <summary><c>taba measure DIR</c></summary>
static class MeasureCommand
{
    public static Command Create(CommandServices services)
    {
        var folder = new Argument<string>("DIR") { Description = "A run's folder, or one that has runs below it; ours or upstream's." };
        var names = Flags.Of<string?>(
            "metrics",
            $"Which, with commas between them: {Names(AllAnalyses.List)}. Without it: all but "
            + $"{Names(AllAnalyses.List.Where(a => a.IsCostly))}, which compare every sample with every other.");
        var file = Flags.Of<string?>("out", "Writes the numbers into this file too (.json).", "-o");
        var json = Flags.Switch("json", "Machine-readable lines, no colours.");
        var command = new Command(
            "measure", "Analyses over the tensors of runs that are there. What a run lacks the tensors for is left out, and said.")
        {
            folder, names, file, json,
        };
        command.SetAction((parsed, interrupted) =>
        {
            var wanted = Wanted(parsed.GetValue(names));
            var path = parsed.GetValue(folder)!;
            if (!Directory.Exists(path))
                throw new BadInputException($"There is no folder {path}.");
            var target = parsed.GetValue(file);
            if (target is not null)
                OutputPlace.Require(Path.GetDirectoryName(Path.GetFullPath(target))!, "choose another place with --out");
            var all = new JsonArray();
            foreach (var run in RunSearch.In(OutputFolder.At(path), ours: false))
            {
                var measured = Measure(services.Terminal, run, wanted, interrupted);
                Show(services.Terminal.Output, run, measured, parsed.GetValue(json));
                all.Add(measured);
            }
            if (target is not null)
                File.WriteAllBytes(target, PythonJson.Write(all));
            return Task.FromResult(ExitStatus.Done);
        });
        return command.WithExamples(
            "taba measure experiments/demo", "taba measure experiments/demo/demo_T10_seed420 --metrics correlation,moments",
            "taba measure upstream/experiments --json --out numbers.json");
    }

    static string Names(IEnumerable<Analysis> analyses) => string.Join(", ", analyses.Select(analysis => analysis.Name));

    static List<Analysis> Wanted(string? names)
    {
        if (names is null)
            return [.. AllAnalyses.List.Where(a => !a.IsCostly)];
        return
        [
            .. names.Split(',', StringSplitOptions.TrimEntries).Distinct().Select(name => AllAnalyses.Find(name)
                ?? throw new BadInputException(
                    $"--metrics has '{name}', which is no analysis.{UnknownWords.Hint(name, [.. AllAnalyses.List.Select(a => a.Name)])}")),
        ];
    }

    static JsonObject Measure(Terminal terminal, ReportRun run, IReadOnlyList<Analysis> wanted, CancellationToken interrupted)
    {
        try
        {
            using var tensors = MeasuredRun.Open(run);
            var numbers = new JsonObject();
            foreach (var analysis in wanted)
            {
                if (analysis.WhyNot(tensors) is { } why)
                    terminal.Say($"{Name(run)}: {analysis.Name} is left out: {why}.");
                else
                    numbers[analysis.Name] = analysis.Measure(tensors, interrupted).Metrics;
            }
            return new() { ["run"] = Name(run), ["folder"] = tensors.Folder, ["n"] = run.Samples, ["metrics"] = numbers };
        }
        catch (Exception exception)
            when (exception is InvalidDataException or WeightsFormatException or NotSupportedException or IOException)
        {
            throw new BadInputException($"{run.Folder.Place} cannot be measured: {exception.Message.TrimEnd('.')}.", exception);
        }
    }

    static string Name(ReportRun run) => run.Below.Length > 0 ? run.Below : run.Manifest.Run;

    static void Show(TextWriter output, ReportRun run, JsonObject measured, bool json)
    {
        if (json)
        {
            output.WriteLine(Encoding.UTF8.GetString(PythonJson.Write(measured, indented: false)));
            return;
        }
        output.WriteLine($"{Name(run)}, N = {run.Samples}");
        var numbers = ReportRun.Numbers(measured["metrics"]);
        var width = numbers.Keys.Select(key => key.Length).DefaultIfEmpty(0).Max();
        foreach (var (key, value) in numbers)
            output.WriteLine($"  {key.PadRight(width)}  {value.ToString("G6", CultureInfo.InvariantCulture)}");
    }
}

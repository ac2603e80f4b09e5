using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Taba.Client.Measuring;
using Taba.Client.Planning;
using Taba.Client.Reports;
using Taba.Diffusion.Engine;
using Taba.Diffusion.Metrics.Analyses;
using Taba.Diffusion.Metrics.Pictures;
using Taba.Diffusion.Weights;
using Taba.Grains;
using Taba.Grains.Words;
using Taba.Silo.Outputs;
using Taba.Storage.RunFolders;

namespace Taba.Client.Commands;

/// <summary><c>taba measure DIR</c></summary>
static class MeasureCommand
{
    static readonly Analysis[] s_ofTensors = [.. AllAnalyses.List, .. AllAnalyses.OfSteps];

    public static Command Create(CommandServices services)
    {
        var folder = new Argument<string>("DIR") { Description = "A run's folder, or one that has runs below it; ours or upstream's." };
        var names = Flags.Of<string?>(
            "metrics",
            $"Which, with commas between them: {Names(s_ofTensors)}. Without it: all but "
            + $"{Names(s_ofTensors.Where(a => a.IsCostly))}, which compare every sample with every other or read every step. "
            + $"With --features also: {string.Join(", ", PictureAnalyses.Names)}.");
        var pictures = new PictureFlags();
        var file = Flags.Of<string?>("out", "Writes the numbers into this file too (.json).", "-o");
        var json = Flags.Switch("json", "Machine-readable lines, no colours.");
        var command = new Command(
            "measure", "Analyses over the tensors of runs that are there. What a run lacks the tensors for is left out, and said.")
        {
            folder, names, file, json,
        };
        foreach (var option in pictures.All)
            command.Options.Add(option);
        command.SetAction((parsed, interrupted) =>
        {
            using var ofPictures = pictures.Open(parsed);
            var wanted = Wanted(parsed.GetValue(names), ofPictures.Settings);
            var path = parsed.GetValue(folder)!;
            if (!Directory.Exists(path))
                throw new BadInputException($"There is no folder {path}.");
            var target = parsed.GetValue(file);
            if (target is not null)
                OutputPlace.Require(Path.GetDirectoryName(Path.GetFullPath(target))!, "choose another place with --out");
            var all = new JsonArray();
            var runs = RunSearch.In(OutputFolder.At(path), ours: false);
            if (parsed.GetValue(names) is not null)
                RequirePictures(runs, wanted, path);
            foreach (var run in runs)
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
            "taba measure upstream/experiments --json --out numbers.json",
            "taba measure experiments/demo --features inception=pt_inception-2015-12-05.pth --reference pictures --metrics fid,kid");
    }

    static string Names(IEnumerable<Analysis> analyses) => string.Join(", ", analyses.Select(analysis => analysis.Name));

    static List<Analysis> Wanted(string? names, PictureSettings pictures)
    {
        var ofPictures = PictureAnalyses.With(pictures);
        if (names is null)
            return
            [
                .. s_ofTensors.Where(a => !a.IsCostly),
                .. ofPictures.Where(a => PictureAnalyses.Lacking(a.Name, pictures) is null),
            ];
        List<Analysis> all = [.. s_ofTensors, .. ofPictures];
        return
        [
            .. names.Split(',', StringSplitOptions.TrimEntries).Distinct().Select(name => all.Find(a => a.Name == name)
                ?? throw new BadInputException(
                    $"--metrics has '{name}', which is no analysis.{UnknownWords.Hint(name, [.. all.Select(a => a.Name)])}"))
                .Select(analysis => !ofPictures.Contains(analysis) || PictureAnalyses.Lacking(analysis.Name, pictures) is not { } lacking
                    ? analysis
                    : throw new BadInputException($"--metrics has {analysis.Name}, but {lacking}.")),
        ];
    }

    /// <summary>Networks take long: what none of the runs allows is said before the first of them.</summary>
    static void RequirePictures(IReadOnlyList<ReportRun> runs, IEnumerable<Analysis> wanted, string path)
    {
        foreach (var analysis in wanted.Where(a => PictureAnalyses.Names.Contains(a.Name)))
        {
            var whyNot = runs.Select(run => OpenFor(run, tensors => analysis.WhyNot(tensors))).ToList();
            if (whyNot.Count > 0 && whyNot.TrueForAll(why => why is not null))
                throw new BadInputException($"{path} cannot be measured by {analysis.Name}: {whyNot[0]}.");
        }
    }

    static T OpenFor<T>(ReportRun run, Func<MeasuredRun, T> use)
    {
        try
        {
            using var tensors = MeasuredRun.Open(run);
            return use(tensors);
        }
        catch (Exception exception)
            when (exception is InvalidDataException or WeightsFormatException or NotSupportedException or IOException)
        {
            throw new BadInputException($"{run.Folder.Place} cannot be measured: {exception.Message.TrimEnd('.')}.", exception);
        }
        catch (Exception exception) when (DeviceMemory.IsExhausted(exception))
        {
            throw new BadInputException("The network does not fit the device: free memory on it, or make --batch_size smaller.", exception);
        }
    }

    static JsonObject Measure(Terminal terminal, ReportRun run, IReadOnlyList<Analysis> wanted, CancellationToken interrupted) =>
        OpenFor(run, tensors =>
        {
            var numbers = new JsonObject();
            foreach (var analysis in wanted)
            {
                if (analysis.WhyNot(tensors) is { } why)
                    terminal.Say($"{Name(run)}: {analysis.Name} is left out: {why}.");
                else
                    numbers[analysis.Name] = analysis.Measure(tensors, interrupted).Metrics;
            }
            return new JsonObject { ["run"] = Name(run), ["folder"] = tensors.Folder, ["n"] = run.Samples, ["metrics"] = numbers };
        });

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

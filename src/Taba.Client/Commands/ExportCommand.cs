using System.CommandLine;
using System.Text.Json;
using Taba.Client.Folders;
using Taba.Client.Planning;
using Taba.Grains;

namespace Taba.Client.Commands;

/// <summary><c>taba export DIR --format pt|npy|safetensors|png</c></summary>
static class ExportCommand
{
    public static Command Create(CommandServices services)
    {
        var folder = new Argument<string>("DIR") { Description = "A run's folder, ours or upstream's." };
        var format = Flags.OneOf("format", "What to write.", "pt", "npy", "safetensors", "png");
        var saveDir = Flags.Of<string?>("save_dir", "Where to; the default is the folder itself (png: its folder png).");
        var json = Flags.Switch("json", "Machine-readable lines, no colours.");
        var command = new Command("export", "Writes a run's tensors in another format.") { folder, format, saveDir, json };
        command.SetAction((parsed, interrupted) =>
        {
            var from = parsed.GetValue(folder)!;
            var name = parsed.GetValue(format) ?? throw new BadInputException("--format is missing: give pt, npy, safetensors or png.");
            var target = parsed.GetValue(saveDir) ?? (name == "png" ? Path.Combine(from, "png") : from);
            if (!Directory.Exists(from))
                throw new BadInputException($"There is no folder {from}.");
            OutputPlace.Require(target, "choose another folder with --save_dir");
            var written = name == "png"
                ? FolderExport.Pictures(from, target, interrupted)
                : FolderExport.Tensors(from, Enum.Parse<TensorFormat>(name, ignoreCase: true), target, interrupted);
            foreach (var path in written)
                services.Terminal.Output.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(new { path }) : path);
            return Task.FromResult(ExitStatus.Done);
        });
        return command.WithExamples(
            "taba export experiments/demo/demo_T10_seed420 --format pt", "taba export out/base --format png --save_dir pictures");
    }
}

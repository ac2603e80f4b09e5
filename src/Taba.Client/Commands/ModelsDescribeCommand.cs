using System.CommandLine;
using System.Text.Json;
using Taba.Grains.Words;
using Taba.Client.Planning;
using Taba.Client.Sweeps;
using Taba.Diffusion.Models.Adm;
using Taba.Diffusion.Weights;
using Taba.Grains;
using Taba.Grains.Sweeps;
using Taba.Silo.Models;

namespace Taba.Client.Commands;

/// <summary><c>taba models describe FILE</c></summary>
static class ModelsDescribeCommand
{
    const string ModelJson = "model.json";
    const string ImageSize = "image_size";
    const int LargestImage = 4096;

    public static Command Create(CommandServices services)
    {
        var file = new Argument<string>("FILE") { Description = "A weights file: .pt, .safetensors." };
        var told = new Argument<string[]>("key=value")
        {
            Description = "What you know and no shape tells, such as noise_schedule=cosine diffusion_steps=4000.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var size = Flags.Of<int?>("image_size", "Height and width of the pictures, where the shapes leave it open.");
        var write = Flags.Switch("write", "Write the model.json beside the file; what is there stays.");
        var json = Flags.Switch("json", "Machine-readable lines, no colours.");
        var command = new Command(
            "describe", "What a weights file is, and the model.json that its shapes tell; what they cannot tell is marked.")
        {
            file, told, size, write, json,
        };
        command.SetAction(parsed =>
        {
            var known = parsed.GetValue(told)!.Select(SweepOverrides.Split).ToList();
            if (parsed.GetValue(size) is { } given)
                known.Add(new(ImageSize, $"{given}"));
            Describe(services.Terminal, parsed.GetValue(file)!, known, parsed.GetValue(write), parsed.GetValue(json));
            return ExitStatus.Done;
        });
        return command.WithExamples(
            "taba models describe my_adm.pt",
            "taba models describe ema_0.9999_500000.pt noise_schedule=cosine diffusion_steps=4000 --write",
            "taba models describe my_adm.pt --image_size 48 > model.json");
    }

    static void Describe(Terminal terminal, string path, IReadOnlyCollection<KeyValuePair<string, string>> told, bool write, bool json)
    {
        try
        {
            using var weights = WeightsFile.Open(path);
            var config = AdmShapes.Read(weights, Size(told));
            var description = AdmModelFile.Text(config, Path.GetFileName(path), told);
            var untold = AdmShapes.Untold.Except(told.Select(field => field.Key)).ToList();
            var like = SameArchitecture(weights);
            var target = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, ModelJson);
            if (write)
                Write(target, description);
            // The description alone goes to standard output, so that it can be sent into a file.
            var notes = json ? TextWriter.Null : terminal.Error;
            notes.WriteLine(
                $"{path}: guided-diffusion's UNet, {weights.Names.Count} tensors, "
                + $"{Quantities.Count(weights.Tensors.Sum(t => t.Shape.Aggregate(1.0, (product, n) => product * n)))} parameters"
                + (like is null ? "" : $", of the architecture of {like}"));
            if (untold.Count > 0)
                notes.WriteLine($"not told by its shapes, so check: {string.Join(", ", untold)}");
            if (like is not null)
                notes.WriteLine($"if it was trained as {like} was, its model.json does: --model {like} --weights {path}");
            if (json)
            {
                using var document = JsonDocument.Parse(description);
                terminal.Output.WriteLine(JsonSerializer.Serialize(
                    new { file = path, like, model = document.RootElement, untold, written = write ? target : null }));
            }
            else if (write)
                terminal.Output.WriteLine(target);
            else
                terminal.Output.WriteLine(description);
        }
        catch (Exception e) when (e is WeightsFormatException or WeightsMismatchException or InvalidDataException or IOException
            or UnauthorizedAccessException)
        {
            throw new BadInputException(e.Message, e);
        }
    }

    /// <summary>The size that is given: it decides at which levels there is attention.</summary>
    static int? Size(IReadOnlyCollection<KeyValuePair<string, string>> told)
    {
        if (told.Where(field => field.Key == ImageSize).Select(field => field.Value).LastOrDefault() is not { } text)
            return null;
        var wrong = NumberText.ReadWhole(text, 1, LargestImage, out var size);
        return wrong is null ? (int)size : throw new BadInputException($"{ImageSize} is '{text}': {wrong}.");
    }

    static void Write(string target, string description)
    {
        if (File.Exists(target))
            throw new BadInputException($"{target} is there already: take it away, or leave out --write and send the text elsewhere.");
        OutputPlace.Require(Path.GetDirectoryName(target)!, "leave out --write, and send the text elsewhere");
        File.WriteAllText(target, description + "\n");
    }

    /// <summary>A known model whose tensors have the same names and shapes.</summary>
    static string? SameArchitecture(WeightsFile weights) => KnownModels.All
        .Where(known => known.Repository is null)
        .Select(known => known.Name)
        .FirstOrDefault(name =>
        {
            var parameters = ModelCatalogue.Define(new ModelSelection(name)).Parameters;
            return parameters.Count == weights.Names.Count
                && parameters.All(p => weights.TryGetShape(p.Key, out var shape) && shape.AsSpan().SequenceEqual(p.Value));
        });
}

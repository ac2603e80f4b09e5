using System.CommandLine;
using System.Text.Json;
using Taba.Diffusion.Models;
using Taba.Grains.Words;
using Taba.Diffusion.Weights;
using Taba.Grains;
using Taba.Grains.Sweeps;
using Taba.Silo.Models;

namespace Taba.Client.Commands;

/// <summary><c>taba models check PATH</c></summary>
static class ModelsCheckCommand
{
    public static Command Create(CommandServices services)
    {
        var path = new Argument<string>(
            "PATH")
        { Description = "A model.json, its folder, a model's name, or a weights file (with --model)." };
        path.CompletionSources.Add([.. KnownModels.All.Select(m => m.Name)]);
        var model = Flags.Of<string?>("model", "The architecture that a weights file is checked against.");
        var weights = Flags.Of<string?>("weights", "The weights, when not those that the model names.");
        var json = Flags.Switch("json", "Machine-readable lines, no colours.");
        var command = new Command("check", "Compares weights with their architecture: names, shapes, sizes; says the schedule.")
        {
            path, model, weights, json,
        };
        command.SetAction(parsed =>
        {
            var given = parsed.GetValue(path)!;
            var isWeights = Path.GetExtension(given) is ".pt" or ".pth" or ".safetensors" or ".bin";
            if (isWeights && parsed.GetValue(model) is null)
                throw new BadInputException($"{given} is a weights file: say with --model which architecture it should fit.");
            var selection = isWeights
                ? new ModelSelection(parsed.GetValue(model)!, given)
                : new ModelSelection(given, parsed.GetValue(weights));
            var definition = ModelCatalogue.Define(selection);
            var checkedParts = Check(selection, definition);
            if (parsed.GetValue(json))
                services.Terminal.Output.WriteLine(JsonSerializer.Serialize(AsJson(definition, checkedParts)));
            else
                Write(services.Terminal.Output, definition, checkedParts);
            return ExitStatus.Done;
        });
        return command.WithExamples("taba models check demo", "taba models check cifar10_uncond_50M_500K.pt --model adm-32");
    }

    /// <summary>Network and autoencoder; none of a model that needs no weights.</summary>
    static List<CheckedWeights> Check(ModelSelection selection, ModelDefinition definition)
    {
        var parts = new List<CheckedWeights>();
        if (!definition.NeedsWeights)
            return parts;
        try
        {
            var given = ModelCatalogue.FindWeights(selection, definition);
            parts.Add(new("network", definition.Parameters, definition.WeightFiles(given)));
            definition.CheckWeights(given);
            if (definition.Autoencoder is { } autoencoder)
            {
                parts.Add(new("autoencoder", autoencoder.Parameters, autoencoder.WeightFiles()));
                autoencoder.CheckWeights();
            }
        }
        catch (Exception e) when (e is WeightsMismatchException or WeightsFormatException or InvalidDataException or IOException)
        {
            throw new BadInputException(e.Message, e);
        }
        return parts;
    }

    static void Write(TextWriter output, ModelDefinition definition, List<CheckedWeights> parts)
    {
        output.WriteLine($"{definition.Name}: family {definition.Family}, state {definition.Shape}, {ModelNotes.Schedule(definition)}");
        foreach (var note in ModelNotes.Of(definition))
            output.WriteLine(note);
        foreach (var part in parts)
        {
            output.WriteLine($"{part.What}: {part.Parameters.Count} tensors, {Quantities.Count(part.Elements)} parameters");
            foreach (var file in part.Files)
                output.WriteLine($"  {file}: {Quantities.Bytes(new FileInfo(file).Length)}");
        }
        if (definition.Autoencoder is { } autoencoder)
            output.WriteLine($"pictures: {autoencoder.PicturesOf(definition.Shape)}");
        output.WriteLine(parts.Count == 0 ? "needs no weights" : "they fit");
    }

    static object AsJson(ModelDefinition definition, List<CheckedWeights> parts) => new
    {
        name = definition.Name,
        family = definition.Family,
        state = new[] { definition.Shape.Channels, definition.Shape.Height, definition.Shape.Width },
        schedule = ModelNotes.Schedule(definition),
        diffusion_steps = definition.TrainingSteps,
        classes = definition.ClassCount,
        assumed = (definition as GuidedDiffusionDefinition)?.Assumed ?? [],
        unconfirmed = (definition as GuidedDiffusionDefinition)?.Unconfirmed ?? [],
        weights = parts.Select(part => new
        {
            part = part.What, tensors = part.Parameters.Count, parameters = part.Elements,
            files = part.Files.Select(file => new { path = file, bytes = new FileInfo(file).Length }),
        }),
        fits = true,
    };

    sealed record CheckedWeights(string What, IReadOnlyList<KeyValuePair<string, long[]>> Parameters, IReadOnlyList<string> Files)
    {
        public double Elements => Parameters.Sum(p => p.Value.Aggregate(1.0, (product, length) => product * length));
    }
}

using System.CommandLine;
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
        var model = Flags.Of<string?>("model", "The architecture that a weights file is checked against.");
        var weights = Flags.Of<string?>("weights", "The weights, when not those that the model names.");
        var command = new Command("check", "Compares weights with their architecture: names, shapes, sizes.") { path, model, weights };
        command.SetAction(parsed =>
        {
            var given = parsed.GetValue(path)!;
            var isWeights = Path.GetExtension(given) is ".pt" or ".pth" or ".safetensors" or ".bin";
            if (isWeights && parsed.GetValue(model) is null)
                throw new BadInputException($"{given} is a weights file: say with --model which architecture it should fit.");
            var selection = isWeights
                ? new ModelSelection(parsed.GetValue(model)!, given)
                : new ModelSelection(given, parsed.GetValue(weights));
            Report(services.Terminal.Output, selection);
            return ExitStatus.Done;
        });
        return command.WithExamples("taba models check demo", "taba models check cifar10_uncond_50M_500K.pt --model adm-32");
    }

    static void Report(TextWriter output, ModelSelection selection)
    {
        var definition = ModelCatalogue.Define(selection);
        output.WriteLine(
            $"{definition.Name}: family {definition.Family}, state {definition.Shape}, {definition.TrainingSteps} diffusion steps");
        if (!definition.NeedsWeights)
        {
            output.WriteLine("needs no weights");
            return;
        }
        try
        {
            var given = ModelCatalogue.FindWeights(selection, definition);
            Compare(output, "network", definition.Parameters, definition.WeightFiles(given), () => definition.CheckWeights(given));
            if (definition.Autoencoder is { } autoencoder)
            {
                output.WriteLine($"pictures: {autoencoder.PicturesOf(definition.Shape)}");
                Compare(output, "autoencoder", autoencoder.Parameters, autoencoder.WeightFiles(), autoencoder.CheckWeights);
            }
        }
        catch (Exception e) when (e is WeightsMismatchException or WeightsFormatException or InvalidDataException or IOException)
        {
            throw new BadInputException(e.Message, e);
        }
        output.WriteLine("they fit");
    }

    static void Compare(
        TextWriter output, string what, IReadOnlyList<KeyValuePair<string, long[]>> expected, IReadOnlyList<string> files, Action check)
    {
        output.WriteLine($"{what}: {expected.Count} tensors, {Quantities.Count(expected.Sum(p => (double)Elements(p.Value)))} parameters");
        foreach (var file in files)
            output.WriteLine($"  {file}: {Quantities.Bytes(new FileInfo(file).Length)}");
        check();
    }

    static long Elements(long[] shape) => shape.Aggregate(1L, (product, length) => product * length);
}

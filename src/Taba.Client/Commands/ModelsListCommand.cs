using System.CommandLine;
using System.Text.Json;
using Taba.Grains;
using Taba.Grains.Sweeps;
using Taba.Silo.Models;

namespace Taba.Client.Commands;

/// <summary><c>taba models list</c></summary>
static class ModelsListCommand
{
    public static Command Create(CommandServices services)
    {
        var json = Flags.Switch("json", "Machine-readable lines, no colours.");
        var command = new Command("list", "Models that have a name, where they come from, and whether they are here.") { json };
        command.SetAction(parsed =>
        {
            var cache = ModelCache.FromEnvironment();
            foreach (var model in KnownModels.All)
                services.Terminal.Output.WriteLine(Line(model, cache, parsed.GetValue(json)));
            return ExitStatus.Done;
        });
        return command.WithExamples("taba models list", "taba models list --json");
    }

    static string Line(KnownModel model, ModelCache cache, bool json)
    {
        var folder = cache.Folder(model);
        IReadOnlyList<string> missing = folder is null ? [] : ModelCache.Missing(folder, model.Repository!);
        var weights = model.Repository is null ? WeightsOf(model) : missing.Count == 0 ? folder : null;
        if (json)
        {
            return JsonSerializer.Serialize(new
            {
                name = model.Name,
                aliases = model.Aliases,
                description = model.Description,
                weights,
                source = model.Source,
                repository = model.Repository?.Id,
                missing,
            });
        }

        var state = (weights, missing.Count, model.Source) switch
        {
            ({ } path, _, _) => path,
            (null, > 0, _) => $"{folder} lacks {string.Join(", ", missing)}: taba models pull {model.Name}",
            (null, _, null) => "its weights are not in this build",
            _ => $"not here: taba models pull {model.Name}",
        };
        var source = model.Repository?.Id ?? model.Source;
        return $"{model.Name,-17} {string.Join(", ", model.Aliases),-19} {model.Description}\n"
            + (source is null ? "" : $"{"",-38}from {source}\n") + $"{"",-38}{state}";
    }

    static string? WeightsOf(KnownModel model)
    {
        try
        {
            var selection = new ModelSelection(model.Name);
            return ModelCatalogue.FindWeights(selection, ModelCatalogue.Define(selection));
        }
        catch (BadInputException)
        {
            return null;
        }
    }
}

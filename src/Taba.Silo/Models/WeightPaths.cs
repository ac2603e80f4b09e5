using Taba.Diffusion.Models;
using Taba.Grains;
using Taba.Grains.Sweeps;

namespace Taba.Silo.Models;

/// <summary>Finds the weights of a model.json.</summary>
static class WeightPaths
{
    /// <summary>The file: the one given, the one that the description names, or a known model's where upstream keeps it.</summary>
    /// <exception cref="BadInputException">It is nowhere to be found.</exception>
    public static string Of(ModelSelection selection, GuidedDiffusionDefinition definition)
    {
        if (selection.WeightsPath is { } given)
            return File.Exists(given) ? Path.GetFullPath(given) : throw new BadInputException(
                $"There are no weights at {given} (--weights).");
        if (definition.WeightsPath is not { } named)
            throw new BadInputException(
                $"{ModelPaths.Of(selection.NameOrPath)} names no weights: add \"weights\", or give --weights PATH.");
        if (File.Exists(named))
            return named;
        if (KnownModels.Find(selection.NameOrPath) is not { } known)
            throw new BadInputException(
                $"The weights {named} of model {selection.NameOrPath} do not exist: put the file there, or give --weights PATH.");
        var upstream = Path.GetFullPath(Path.Combine(KnownModels.UpstreamWeightsFolder, Path.GetFileName(named)));
        if (File.Exists(upstream))
            return upstream;
        var cache = ModelCache.FromEnvironment();
        return cache.Checkpoint(known) ?? throw new NotPulledException(
            known.Name,
            $"The weights {Path.GetFileName(named)} of {known.Name} were found neither in {Path.GetDirectoryName(upstream)} nor in "
            + $"{cache.Settings.CheckpointFolder}: "
            + $"'taba models pull {known.Name}' fetches them from {known.Source}; or give --weights PATH.");
    }
}

using Taba.Diffusion.Conditions;
using Taba.Diffusion.Weights.Hub;
using Taba.Grains;
using Taba.Grains.Sweeps;
using Taba.Silo.Models;

namespace Taba.Silo.Conditions;

/// <summary>Finds the prompts that a user asks for.</summary>
public static class PromptPaths
{
    /// <summary>The dataset that upstream draws from.</summary>
    public const string DatasetRepository = "UCSC-VLAA/Recap-COCO-30K";

    /// <summary>Its name for <c>taba models pull</c>.</summary>
    public const string DatasetName = "recap-coco-30k";

    /// <summary>A source's name, or the absolute path of a file.</summary>
    public static string Source(ConditionRequest request) => request.Prompts switch
    {
        null => PromptSource.Dataset,
        PromptSource.Dataset or PromptSource.Null or PromptSource.Hobbit => request.Prompts,
        var path => Path.GetFullPath(path),
    };

    /// <summary>The dataset's path: as given, else in the hub's cache; null for other sources.</summary>
    /// <exception cref="BadInputException">It is not there.</exception>
    public static string? Dataset(ConditionRequest request, string source)
    {
        if (source != PromptSource.Dataset)
            return null;
        if (request.DatasetPath is { } given)
            return Path.GetFullPath(given);
        var settings = ModelCache.FromEnvironment().Settings;
        return new HubCache(settings.CacheFolder).Snapshot(HubRepository.Dataset(DatasetRepository)) is { } folder
            ? folder
            : throw new NotPulledException(
                DatasetName,
                $"The prompts 'dataset' are drawn from {DatasetRepository}, which is not in {settings.CacheFolder}: 'taba models pull "
                + $"{DatasetName}' fetches it; "
                + "or give its folder with --prompts_dataset_path, or other prompts (null, hobbit, a file) with --prompts.");
    }
}

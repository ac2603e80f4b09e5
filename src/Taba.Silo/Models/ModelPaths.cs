using Taba.Diffusion.Weights;
using Taba.Grains;

namespace Taba.Silo.Models;

/// <summary>Finds the description of a model by the name or path that the user gives.</summary>
static class ModelPaths
{
    /// <summary>A model.json, or a Hugging Face folder.</summary>
    /// <exception cref="BadInputException">There is none.</exception>
    public static string Of(string nameOrPath)
    {
        if (KnownModels.Find(nameOrPath) is { } known)
            return known.Repository is null ? KnownModels.DescriptionPath(known) : Pulled(known);
        var path = Path.GetFullPath(nameOrPath);
        if (ModelFolder.IsModelFolder(path))
            return path;
        if (Directory.Exists(path))
            path = Path.Combine(path, "model.json");
        if (File.Exists(path))
            return path;
        if (ModelCache.FromEnvironment().Folder(nameOrPath) is { } cached)
            return cached;
        throw new BadInputException(
            $"There is no model '{nameOrPath}': it is neither one of {string.Join(", ", KnownModels.All.Select(m => m.Name))}, nor a "
            + "Hugging Face folder "
            + "or a repository in its cache, nor the path of a model.json.");
    }

    /// <summary>The folder of a model of the hub, which must be here whole.</summary>
    static string Pulled(KnownModel known)
    {
        var cache = ModelCache.FromEnvironment();
        if (cache.Folder(known) is not { } folder)
            throw new NotPulledException(
                known.Name,
                $"The model {known.Name} is not in {cache.Settings.CacheFolder}: 'taba models pull {known.Name}' fetches it from "
                + $"{known.Source}; or give its folder with --model.");
        var missing = ModelCache.Missing(folder, known.Repository!);
        return missing.Count == 0
            ? folder
            : throw new NotPulledException(
                known.Name,
                $"The model {known.Name} in {folder} lacks {string.Join(", ", missing)}: 'taba models pull {known.Name}' fetches what "
                + "is missing.");
    }

    /// <summary>True for a name, false for a path.</summary>
    public static bool IsName(string nameOrPath) => KnownModels.Find(nameOrPath) is not null;
}

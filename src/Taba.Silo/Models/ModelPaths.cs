using Taba.Diffusion.Weights;
using Taba.Grains;

namespace Taba.Silo.Models;

/// <summary>Where the description of a model is, by the name or path that the user gives.</summary>
static class ModelPaths
{
    /// <summary>A model.json, or a Hugging Face folder.</summary>
    /// <exception cref="BadInputException">There is none.</exception>
    public static string Of(string nameOrPath)
    {
        if (KnownModels.Find(nameOrPath) is { } known)
            return KnownModels.DescriptionPath(known);
        var path = Path.GetFullPath(nameOrPath);
        if (ModelFolder.IsModelFolder(path))
            return path;
        if (Directory.Exists(path))
            path = Path.Combine(path, "model.json");
        if (File.Exists(path))
            return path;
        throw new BadInputException(
            $"There is no model '{nameOrPath}': it is neither one of {string.Join(", ", KnownModels.All.Select(m => m.Name))}, nor a Hugging Face folder, nor the path of a model.json.");
    }

    /// <summary>Whether it is a name, and not a path.</summary>
    public static bool IsName(string nameOrPath) => KnownModels.Find(nameOrPath) is not null;
}

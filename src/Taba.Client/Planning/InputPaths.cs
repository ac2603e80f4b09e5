using Taba.Diffusion.Conditions;
using Taba.Grains;
using Taba.Grains.Sweeps;

namespace Taba.Client.Planning;

/// <summary>Refuses input files that are not there, before a model is looked for: to look for a model may mean to download it.</summary>
static class InputPaths
{
    /// <exception cref="BadInputException">A file is absent.</exception>
    public static void RequirePresent(SweepSpec spec)
    {
        Require("input_noise_path", spec.NoisePath);
        Require("input_image_path", spec.ImagesPath);
        Require("input_cond_path", spec.CondPath);
        Require("input_prompts_path", spec.Conditions.PromptsPath);
        Require("prompts_dataset_path", spec.Conditions.DatasetPath);
        foreach (var (network, weights) in spec.Features)
            Require($"features.{network}", weights);
        Require("reference", spec.ReferencePath);
        foreach (var intervention in spec.Interventions)
            Require("swap_path", intervention.SwapPath);
        if (spec.Conditions.Prompts is { } prompts && prompts is not (PromptSource.Dataset or PromptSource.Null or PromptSource.Hobbit)
            && !Path.Exists(prompts))
        {
            throw new BadInputException(
                $"There is no file {prompts}, and prompts of that name are not known: give {PromptSource.Dataset}, {PromptSource.Null}, "
                + $"{PromptSource.Hobbit}, or a text or .json file.");
        }
    }

    static void Require(string name, string? path)
    {
        if (path is not null && !Path.Exists(path))
            throw new BadInputException($"There is no file {path}, which {name} names.");
    }
}

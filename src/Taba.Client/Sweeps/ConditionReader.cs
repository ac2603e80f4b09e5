using Taba.Grains.Sweeps;

namespace Taba.Client.Sweeps;

/// <summary>Reads where the classes or prompts of a sweep come from.</summary>
static class ConditionReader
{
    public static ConditionRequest Read(SweepFields fields, SweepPaths paths)
    {
        var defaults = new ConditionRequest();
        return new ConditionRequest
        {
            Prompts = Prompts(fields, paths),
            DatasetPath = paths.File(fields.Text("prompts_dataset_path")),
            PromptsPath = paths.File(fields.Text("input_prompts")),
            Labels = fields.Has("labels") ? [.. fields.Axis("labels", SweepFields.TextOf)] : null,
            CondSeed = fields.Find("cond_seed") is { } seed ? SweepFields.LongOf(seed, "cond_seed") : defaults.CondSeed,
            NPrompts = fields.Find("n_prompts") is { } count ? SweepFields.IntOf(count, "n_prompts") : null,
            NoisesPerPrompt = fields.Find("noises_per_prompt") is { } noises
                ? SweepFields.IntOf(noises, "noises_per_prompt")
                : defaults.NoisesPerPrompt,
        };
    }

    /// <summary>
    /// A source by its name, or a file. YAML's null, Python's None and no text are the empty prompt, not the absence of a source.
    /// </summary>
    static string? Prompts(SweepFields fields, SweepPaths paths)
    {
        if (!fields.IsPresent("prompts"))
            return null;
        return fields.Text("prompts") switch
        {
            null or "" or "null" or "None" => "null",
            "dataset" or "hobbit" => fields.Text("prompts"),
            var path => paths.File(path),
        };
    }
}

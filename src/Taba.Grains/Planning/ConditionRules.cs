using Taba.Grains.Sweeps;

namespace Taba.Grains.Planning;

/// <summary>The classes or prompts of a run.</summary>
/// <param name="Rows">Null for an unconditional model.</param>
/// <param name="TotalRows">How many rows they are for; null when they do not say.</param>
sealed record RunConditions(RowsRef? Rows, int? TotalRows)
{
    public static readonly RunConditions None = new(null, null);
}

/// <summary>Settles where conditions come from: a file with one a row, labels, or a draw.</summary>
static class ConditionRules
{
    const int MaxRows = 100_000_000;

    /// <exception cref="BadInputException">Conditions that the model cannot take, or that contradict each other.</exception>
    public static RunConditions Read(SweepSpec spec, ModelFacts model, IInputFiles files)
    {
        CheckFits(spec, model);
        var request = spec.Conditions;
        var drawnRows = Rows(request, spec.Samples);
        switch (model.Conditions)
        {
            case ConditionKind.Classes when spec.CondPath is { } path:
                var given = Labels(path, model, files);
                return new(given, given.TotalRows);
            case ConditionKind.Classes when request.Labels is { Count: > 0 } labels:
                return new(new ListedClassRows(
                    [.. labels.Select(model.ClassId)], request.NoisesPerPrompt), labels.Count * request.NoisesPerPrompt);
            case ConditionKind.Classes:
                RequireSampling(
                    spec, model, "class ids, one a sample, with --input_cond_path (the conds file of the sampling run), or --labels");
                return new(new DrawnClassRows(request.CondSeed, request.NoisesPerPrompt, model.LabelsDigest, drawnRows), drawnRows);
            case ConditionKind.Text:
                if (request.PromptsPath is null)
                    RequireSampling(spec, model, "prompts, one a sample, with --input_prompts_path (the prompts file of the sampling run)");
                var prompts = files.DescribePrompts(request, drawnRows);
                return new(prompts, prompts.TotalRows);
            default:
                return RunConditions.None;
        }
    }

    /// <summary>
    /// Refuses conditions that no model can take, before a model is looked for: to look for a model may mean to download it.
    /// </summary>
    public static void Check(SweepSpec spec)
    {
        var request = spec.Conditions;
        if (request.NoisesPerPrompt < 1)
            throw new BadInputException($"noises_per_prompt is {request.NoisesPerPrompt}: it must be at least 1.");
        if (request.NPrompts is < 1)
            throw new BadInputException($"n_prompts is {request.NPrompts}: it must be at least 1.");
        if ((long)(request.NPrompts ?? 1) * request.NoisesPerPrompt > MaxRows)
            throw new BadInputException(
                $"n_prompts times noises_per_prompt is {(long)(request.NPrompts ?? 1) * request.NoisesPerPrompt}: it must be at most "
                + $"{MaxRows}.");
        if (spec.CondPath is not null && request.Labels is { Count: > 0 })
            throw new BadInputException("labels and input_cond_path both give classes: leave one out.");
        if (request.PromptsPath is { } listed && request.Prompts is { } source)
            throw new BadInputException($"prompts ({source}) and input_prompts_path ({listed}) both give prompts: leave one out.");
        foreach (var scale in spec.GuidanceScales)
        {
            if (!double.IsFinite(scale) || scale < 0)
                throw new BadInputException($"guidance_scale is {scale}: it must be a number, 0 or more.");
        }
    }

    static void CheckFits(SweepSpec spec, ModelFacts model)
    {
        var request = spec.Conditions;
        if (model.Conditions != ConditionKind.Classes && spec.CondPath is { } conds)
            throw new BadInputException($"input_cond_path {conds} gives class ids, and model {model.Slug} takes no classes: leave it out.");
        if (model.Conditions != ConditionKind.Classes && request.Labels is { Count: > 0 })
            throw new BadInputException($"labels gives classes, and model {model.Slug} takes no classes: leave it out.");
        if (model.Conditions != ConditionKind.Text && (request.PromptsPath ?? request.Prompts) is { } prompts)
            throw new BadInputException($"prompts are given ({prompts}), and model {model.Slug} takes no text: leave them out.");
        foreach (var scale in spec.GuidanceScales)
        {
            if (scale > 1 && !model.CanBeGuided)
                throw new BadInputException($"guidance_scale is {scale}, and model {model.Slug} has no conditions to be guided by: use 1.");
        }
    }

    static int Rows(ConditionRequest request, int samples) => request.NPrompts is { } count ? count * request.NoisesPerPrompt : samples;

    static void RequireSampling(SweepSpec spec, ModelFacts model, string what)
    {
        if (spec.ImagesPath is { } images)
            throw new BadInputException($"{images} gives the samples, and model {model.Slug} needs to know their conditions: give {what}.");
    }

    static FileRows Labels(string path, ModelFacts model, IInputFiles files)
    {
        var tensor = files.Describe(path);
        if (tensor.Dtype != "int64" || tensor.Shape.Count != 1 || tensor.Shape[0] is < 1 or > MaxRows)
        {
            throw new BadInputException(
                $"input_cond_path {path} holds {tensor.Dtype} [{string.Join(", ", tensor.Shape)}]: model {model.Slug} needs int64 [N], "
                + "one class id a sample.");
        }
        if (tensor.Range is var (least, leastRow, most, mostRow) && model.ClassCount is { } count && (least < 0 || most >= count))
        {
            var (id, row) = least < 0 ? (least, leastRow) : (most, mostRow);
            throw new BadInputException(
                $"input_cond_path {path} has the class {id} in row {row}: model {model.Slug} has the classes 0 to {count - 1}.");
        }
        return new(path, tensor.Digest, (int)tensor.Shape[0]);
    }
}

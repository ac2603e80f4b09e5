using System.CommandLine;
using Taba.Grains;
using Taba.Grains.Sweeps;

namespace Taba.Client.Commands;

/// <summary>The flags that say what a conditional model is conditioned on.</summary>
sealed class ConditionFlags(UpstreamScript script, UpstreamFamily family)
{
    readonly Option<string?> _condPath = Flags.Of<string?>(
        "input_cond_path", "Class ids [N], int64, one a sample (conds of a sampling run).");
    readonly Option<string?> _labels = Flags.Of<string?>(
        "labels", "Classes by name or id, separated by commas, each for noises_per_prompt samples.");
    readonly Option<string?> _promptsPath = Flags.Of<string?>(
        "input_prompts_path", "Prompts, one a sample (prompts.pkl or prompts.json of a sampling run).");
    readonly Option<string?> _prompts = Flags.Of<string?>(
        "prompts",
        "Where prompts come from: dataset (Recap-COCO-30K, the default), null (the empty prompt), hobbit, or a text or .json file.",
        "--prompts_dataset", "--prompts-dataset");
    readonly Option<string?> _datasetPath = Flags.Of<string?>(
        "prompts_dataset_path", "The dataset's parquet file or folder; the default is the Hugging Face cache.");
    readonly Option<long> _condSeed = Flags.WithDefault("cond_seed", 10L, "Seed with which classes or prompts are drawn.");
    readonly Option<int> _nPrompts = Flags.WithDefault("n_prompts", 128, "How many classes or prompts are drawn.");
    readonly Option<int> _noises = Flags.WithDefault("noises_per_prompt", 4, "Consecutive samples of each.");
    readonly Option<double> _guidance = Flags.WithDefault("guidance_scale", 1.0, "Scale of classifier-free guidance; 1 is none.");

    bool Sampling => script == UpstreamScript.Sample;

    bool IsConditional => family.TakesClasses || family.TakesText;

    public IEnumerable<Option> All =>
    [
        .. When(family.TakesClasses, _condPath, _labels),
        .. When(family.TakesText, _promptsPath),
        .. When(family.TakesText && Sampling, _prompts, _datasetPath),
        .. When(family.DrawsConditions, _guidance),
        .. When(family.DrawsConditions && Sampling, _nPrompts),
        .. When(IsConditional && Sampling, _condSeed),
        // Each given label has as many samples as a drawn class, in every script.
        .. When(family.TakesClasses || (IsConditional && Sampling), _noises),
    ];

    /// <exception cref="BadInputException">A value that no run can have.</exception>
    public ConditionRequest Read(ParseResult parsed)
    {
        var defaults = new ConditionRequest();
        return new ConditionRequest
        {
            Prompts = Source(Value(parsed, _prompts, null)),
            DatasetPath = Value(parsed, _datasetPath, null),
            PromptsPath = Value(parsed, _promptsPath, null),
            Labels = Labels(Value(parsed, _labels, null)),
            CondSeed = Value(parsed, _condSeed, defaults.CondSeed),
            NPrompts = Value(parsed, _nPrompts, (int?)null),
            NoisesPerPrompt = Value(parsed, _noises, defaults.NoisesPerPrompt),
        };
    }

    public string? CondPath(ParseResult parsed) => Value(parsed, _condPath, null);

    public double Guidance(ParseResult parsed) => Value(parsed, _guidance, 1);

    T Value<T>(ParseResult parsed, Option<T> option, T otherwise) => All.Contains(option) ? parsed.GetValue(option)! : otherwise;

    int? Value(ParseResult parsed, Option<int> option, int? otherwise) => All.Contains(option) ? parsed.GetValue(option) : otherwise;

    static string[]? Labels(string? text)
    {
        if (text is null)
            return null;
        var labels = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return labels.Length > 0
            ? labels
            : throw new BadInputException(
                $"--labels is '{text}': give classes by name or id, separated by commas, such as 'golden retriever,207'.");
    }

    /// <summary>The empty prompt has several names: upstream's null, which Hydra wants quoted, Python's None, and no text.</summary>
    static string? Source(string? prompts) => prompts?.Trim('\'', '"') switch
    {
        "" or "None" or "none" => "null",
        var name => name,
    };

    static Option[] When(bool holds, params Option[] options) => holds ? options : [];
}

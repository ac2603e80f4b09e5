using System.CommandLine;
using Taba.Grains.Sweeps;

namespace Taba.Client.Commands;

/// <summary>The flags that say what a conditional model is conditioned on.</summary>
sealed class ConditionFlags(UpstreamScript script, UpstreamFamily family)
{
    readonly Option<string?> _condPath = Flags.Of<string?>("input_cond_path", "Class ids [N], int64, one a sample (conds of a sampling run).");
    readonly Option<string?> _labels = Flags.Of<string?>("labels", "Classes by name or id, separated by commas, each for noises_per_prompt samples.");
    readonly Option<string?> _promptsPath = Flags.Of<string?>("input_prompts_path", "Prompts, one a sample (prompts.pkl or prompts.json of a sampling run).");
    readonly Option<string?> _prompts = Flags.Of<string?>(
        "prompts", "Where prompts come from: dataset (Recap-COCO-30K, the default), null (the empty prompt), hobbit, or a text or .json file.",
        "--prompts_dataset", "--prompts-dataset");
    readonly Option<string?> _datasetPath = Flags.Of<string?>("prompts_dataset_path", "The dataset's parquet file or folder; the default is the Hugging Face cache.");
    readonly Option<long> _condSeed = Flags.WithDefault("cond_seed", 10L, "Seed with which classes or prompts are drawn.");
    readonly Option<int> _nPrompts = Flags.WithDefault("n_prompts", 128, "How many classes or prompts are drawn.");
    readonly Option<int> _noises = Flags.WithDefault("noises_per_prompt", 4, "Consecutive samples of each.");
    readonly Option<double> _guidance = Flags.WithDefault("guidance_scale", 1.0, "Scale of classifier-free guidance; 1 is none.");

    public IEnumerable<Option> All =>
    [
        .. family.TakesClasses ? [_condPath] : Array.Empty<Option>(),
        .. family.TakesText ? [_promptsPath] : Array.Empty<Option>(),
        .. family.DrawsConditions ? [_guidance] : Array.Empty<Option>(),
        .. family.DrawsConditions && script == UpstreamScript.Sample ? [_condSeed, _nPrompts, _noises] : Array.Empty<Option>(),
        .. family is { DrawsConditions: true, TakesClasses: true } && script == UpstreamScript.Sample ? [_labels] : Array.Empty<Option>(),
        .. family.TakesText && script == UpstreamScript.Sample ? [_prompts, _datasetPath] : Array.Empty<Option>(),
    ];

    public ConditionRequest Read(ParseResult parsed)
    {
        if (!family.DrawsConditions)
            return new ConditionRequest();
        var request = new ConditionRequest { PromptsPath = family.TakesText ? parsed.GetValue(_promptsPath) : null };
        if (script != UpstreamScript.Sample)
            return request;
        return request with
        {
            Prompts = family.TakesText ? Source(parsed.GetValue(_prompts)) : null,
            DatasetPath = family.TakesText ? parsed.GetValue(_datasetPath) : null,
            Labels = family.TakesClasses && parsed.GetValue(_labels) is { } labels
                ? [.. labels.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)]
                : null,
            CondSeed = parsed.GetValue(_condSeed),
            NPrompts = parsed.GetValue(_nPrompts),
            NoisesPerPrompt = parsed.GetValue(_noises),
        };
    }

    public string? CondPath(ParseResult parsed) => family.TakesClasses ? parsed.GetValue(_condPath) : null;

    public double Guidance(ParseResult parsed) => family.DrawsConditions ? parsed.GetValue(_guidance) : 1;

    /// <summary>Upstream's null has to be quoted for Hydra, and need not be here.</summary>
    static string? Source(string? prompts) => prompts?.Trim('\'', '"') is { Length: > 0 } name ? name.Equals("none", StringComparison.OrdinalIgnoreCase) ? "null" : name : null;
}

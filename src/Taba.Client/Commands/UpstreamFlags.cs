using System.CommandLine;
using Taba.Client.Sweeps;
using Taba.Grains;
using Taba.Grains.Sweeps;

namespace Taba.Client.Commands;

/// <summary>Upstream's flags of one script of one family, with upstream's names and defaults (docs/guide/commands.md).</summary>
sealed class UpstreamFlags
{
    readonly UpstreamScript _script;
    readonly UpstreamFamily _family;
    readonly CommonFlags _common;
    readonly OutputFlags _output;
    readonly ConditionFlags _conditions;
    readonly Option<string>? _modelName;
    readonly Option<int> _steps;
    readonly Option<long> _seed = Flags.WithDefault("seed", 42L, "Seed of the initial noise.");
    readonly Option<string> _batchSize;
    readonly Option<int> _samples = Flags.WithDefault("n_samples", 1024, "Number of samples; ignored when they come from a file.");
    readonly Option<bool> _withInversion = Flags.Switch("with_inversion", "Invert the samples.");
    readonly Option<bool> _withReconstruction = Flags.Switch("with_reconstruction", "Reconstruct images from the inverted latents.");
    readonly Option<bool> _internal = Flags.Switch("internal", "Keep states, predictions and x0 predictions of every step (all_t_*).");
    readonly Option<bool> _decode = Flags.Switch(
        "decode", "Decode the states of a latent model to pictures (the default; --decode false leaves them).");
    readonly Option<bool> _noDecode = Flags.Switch("no_decode", "The same as --decode false.");
    readonly Option<string?> _saveDir = Flags.Of<string?>(
        "save_dir", "The run's folder; the default is upstream's, without its time stamp.");
    readonly Option<int> _nParts = Flags.WithDefault("n_parts", 1, "Cut the samples into this many equal parts ...");
    readonly Option<int> _partIdx = Flags.WithDefault("part_idx", 0, "... and run this one.");
    readonly Option<string?> _noisePath;
    readonly Option<string?> _imagePath;
    readonly Option<string?> _swapPath = Flags.Of<string?>(
        "swap_path", "The true predictions or states [T,N,C,H,W] of sampling (all_t_eps_samples, all_t_samples).");
    readonly Option<int?> _swapBefore = Flags.Of<int?>("swap_before_t", "K: how many first inversion steps are replaced.");
    readonly Option<string> _swapType = Flags.OneOf("swap_type", "What is replaced.", "eps", "xt");
    readonly Option<int?> _forwardBefore = Flags.Of<int?>(
        "forward_before_t", "K: how many first inversion steps forward diffusion replaces.");
    readonly Option<long> _forwardSeed = Flags.WithDefault("forward_seed", 42L, "Seed of the forward noise; choose another than --seed.");
    readonly Option<string> _alignment = Flags.OneOf(
        "forward_alignment", "To which level forward diffusion goes: upstream's (the default), or the one that the next step expects.",
        "upstream", "consistent");

    public UpstreamFlags(UpstreamScript script, UpstreamFamily family, CommonFlags common, OutputFlags output)
    {
        _script = script;
        _family = family;
        _common = common;
        _output = output;
        _conditions = new ConditionFlags(script, family);
        _modelName = family.Models.Count == 0
            ? null
            : Flags.OneOf("model_name", "Upstream's name of a model, instead of --model.", [.. family.Models]);
        _steps = Flags.WithDefault("num_inference_steps", family.Steps(script), "T: number of steps.");
        _batchSize = Flags.WithDefault("batch_size", $"{family.BatchSize}", "Rows evaluated at once, or auto.");
        // Upstream's scripts name the same files differently; both names do.
        _noisePath = Flags.Of<string?>(
            "input_noise_path", "Initial noise [N,C,H,W], instead of drawing it.", "--input-noise-path", "--input_path", "--input-path");
        _imagePath = Flags.Of<string?>(
            "input_image_path", "Samples [N,C,H,W] to invert, instead of sampling them, or a folder of PNG or JPEG pictures.",
            "--input-image-path", "--input_samples_path", "--input-samples-path");
    }

    public IEnumerable<Option> All =>
    [
        .. _modelName is null ? Array.Empty<Option>() : [_modelName],
        _steps, _seed, _batchSize, _withReconstruction, _internal, _saveDir, _nParts, _partIdx, _imagePath,
        .. _family.HasAutoencoder ? [_decode, _noDecode] : Array.Empty<Option>(),
        .. _conditions.All,
        .. OfScript,
    ];

    Option[] OfScript => _script switch
    {
        UpstreamScript.Sample => _family.DrawsConditions ? [_withInversion, _noisePath] : [_samples, _withInversion, _noisePath],
        UpstreamScript.Swap => [_noisePath, .. Swap],
        _ => [_forwardBefore, _forwardSeed, _alignment, .. _family.SwapsInForward ? Swap : []],
    };

    Option[] Swap => [_swapPath, _swapBefore, _swapType];

    /// <exception cref="BadInputException">A value that no run can have.</exception>
    public UpstreamArguments Read(ParseResult parsed)
    {
        var modelName = _modelName is null ? null : parsed.GetValue(_modelName);
        var model = _common.Model(parsed);
        if (model is not null && modelName is not null)
            throw new BadInputException($"--model {model.NameOrPath} and --model_name {modelName} both name a model: leave one out.");
        var name = model?.NameOrPath ?? modelName ?? _family.ModelOf(_script);
        return new UpstreamArguments(_script, _family)
        {
            ModelName = name,
            Model = model ?? new ModelSelection(name, _common.Weights(parsed), _common.SampleSize(parsed)),
            NumInferenceSteps = parsed.GetValue(_steps),
            Seed = parsed.GetValue(_seed),
            BatchSize = BatchSize(parsed.GetValue(_batchSize)!),
            WithReconstruction = parsed.GetValue(_withReconstruction),
            Internal = parsed.GetValue(_internal),
            Decode = Decode(parsed),
            SaveDir = parsed.GetValue(_saveDir),
            Out = _output.Out(parsed),
            NParts = parsed.GetValue(_nParts),
            PartIdx = parsed.GetValue(_partIdx),
            InputImagePath = parsed.GetValue(_imagePath),
            Conditions = _conditions.Read(parsed),
            InputCondPath = _conditions.CondPath(parsed),
            GuidanceScale = _conditions.Guidance(parsed),
            Samples = Has(_samples) ? parsed.GetValue(_samples) : 1024,
            WithInversion = Has(_withInversion) && parsed.GetValue(_withInversion),
            InputNoisePath = Has(_noisePath) ? parsed.GetValue(_noisePath) : null,
            SwapPath = Has(_swapPath) ? parsed.GetValue(_swapPath) : null,
            SwapBeforeT = Has(_swapBefore) ? parsed.GetValue(_swapBefore) : null,
            SwapType = Has(_swapType) ? parsed.GetValue(_swapType) : null,
            ForwardBeforeT = Has(_forwardBefore) ? parsed.GetValue(_forwardBefore) : null,
            ForwardSeed = Has(_forwardSeed) ? parsed.GetValue(_forwardSeed) : 42,
            ForwardAlignment = Has(_alignment) && parsed.GetValue(_alignment) == "consistent"
                ? ForwardAlignment.Consistent
                : ForwardAlignment.Upstream,
        };
    }

    bool Has(Option option) => All.Contains(option);

    bool Decode(ParseResult parsed)
    {
        if (!Has(_decode))
            return true;
        var decode = parsed.IsGiven(_decode) ? parsed.GetValue(_decode) : (bool?)null;
        var noDecode = parsed.IsGiven(_noDecode) ? parsed.GetValue(_noDecode) : (bool?)null;
        if (decode is { } asked && asked == noDecode)
            throw new BadInputException("--decode and --no_decode say opposite things: leave one out.");
        return decode ?? noDecode is not true;
    }

    static int? BatchSize(string text)
    {
        if (text == "auto")
            return null;
        return NumberText.ReadWhole(text, int.MinValue, int.MaxValue, out var rows) is { } wrong
            ? throw new BadInputException($"--batch_size is '{text}': {wrong}, or auto.")
            : (int)rows;
    }
}

using System.CommandLine;
using System.Globalization;
using Taba.Grains;
using Taba.Grains.Sweeps;

namespace Taba.Client.Commands;

/// <summary>Upstream's flags of one script, with upstream's names and defaults (docs/guide/commands.md).</summary>
sealed class UpstreamFlags
{
    static readonly string[] ModelNames = ["cifar_pixel_32", "imagenet_pixel_64", "imagenet_pixel_256"];

    readonly UpstreamScript _script;
    readonly CommonFlags _common;
    readonly OutputFlags _output;
    readonly Option<string> _modelName;
    readonly Option<int> _steps;
    readonly Option<long> _seed = Flags.WithDefault("seed", 42L, "Seed of the initial noise.");
    readonly Option<string> _batchSize = Flags.WithDefault("batch_size", "64", "Rows evaluated at once, or auto.");
    readonly Option<int> _samples = Flags.WithDefault("n_samples", 1024, "Number of samples; ignored when they come from a file.");
    readonly Option<bool> _withInversion = Flags.Switch("with_inversion", "Invert the samples.");
    readonly Option<bool> _withReconstruction = Flags.Switch("with_reconstruction", "Reconstruct images from the inverted latents.");
    readonly Option<bool> _internal = Flags.Switch("internal", "Keep states, predictions and x0 predictions of every step (all_t_*).");
    readonly Option<string?> _saveDir = Flags.Of<string?>("save_dir", "The run's folder; the default is upstream's, without its time stamp.");
    readonly Option<int> _nParts = Flags.WithDefault("n_parts", 1, "Cut the samples into this many equal parts ...");
    readonly Option<int> _partIdx = Flags.WithDefault("part_idx", 0, "... and run this one.");
    readonly Option<string?> _noisePath = Flags.Of<string?>("input_noise_path", "Initial noise [N,C,H,W], instead of drawing it.");
    readonly Option<string?> _imagePath = Flags.Of<string?>("input_image_path", "Images [N,C,H,W] to invert, instead of sampling them.");
    readonly Option<string?> _condPath = Flags.Of<string?>("input_cond_path", "Class ids [N], int64, of a class-conditional model.");
    readonly Option<int> _processes = Flags.WithDefault("num_processes", 1, "Local devices to use; never changes numbers.");
    readonly Option<string?> _swapPath = Flags.Of<string?>("swap_path", "The true predictions or states [T,N,C,H,W] of sampling (all_t_eps_samples, all_t_samples).");
    readonly Option<int?> _swapBefore = Flags.Of<int?>("swap_before_t", "K: how many first inversion steps are replaced.");
    readonly Option<string> _swapType = Flags.OneOf("swap_type", "What is replaced.", "eps", "xt");
    readonly Option<int?> _forwardBefore = Flags.Of<int?>("forward_before_t", "K: how many first inversion steps forward diffusion replaces.");
    readonly Option<long> _forwardSeed = Flags.WithDefault("forward_seed", 42L, "Seed of the forward noise; choose another than --seed.");

    public UpstreamFlags(UpstreamScript script, CommonFlags common, OutputFlags output)
    {
        _script = script;
        _common = common;
        _output = output;
        _modelName = Flags.OneOf("model_name", "Upstream's name of a model, instead of --model.", ModelNames);
        _steps = Flags.WithDefault("num_inference_steps", script == UpstreamScript.Forward ? 50 : 100, "T: number of steps.");
    }

    public IEnumerable<Option> All => _script switch
    {
        UpstreamScript.Sample => [.. Shared, _samples, _withInversion, _noisePath],
        UpstreamScript.Swap => [.. Shared, _noisePath, _swapPath, _swapBefore, _swapType],
        _ => [.. Shared, _forwardBefore, _forwardSeed],
    };

    Option[] Shared =>
    [
        _modelName, _steps, _seed, _batchSize, _withReconstruction, _internal, _saveDir, _nParts, _partIdx, _imagePath, _condPath, _processes,
    ];

    /// <exception cref="BadInputException">A value that no run can have.</exception>
    public UpstreamArguments Read(ParseResult parsed)
    {
        var modelName = parsed.GetValue(_modelName);
        var model = _common.Model(parsed);
        if (model is not null && modelName is not null)
            throw new BadInputException($"--model {model.NameOrPath} and --model_name {modelName} both name a model: leave one out.");
        // Upstream's sampling script has this default; its other scripts name none.
        var name = model?.NameOrPath ?? modelName ?? (_script == UpstreamScript.Sample
            ? ModelNames[0]
            : throw new BadInputException($"No model is given: use --model PATH_OR_NAME, or --model_name with one of {string.Join(", ", ModelNames)}."));
        if (parsed.GetValue(_processes) < 1)
            throw new BadInputException($"--num_processes is {parsed.GetValue(_processes)}: it must be at least 1.");
        return new UpstreamArguments(_script)
        {
            ModelName = name,
            Model = model ?? new ModelSelection(name, _common.Weights(parsed), _common.SampleSize(parsed)),
            NumInferenceSteps = parsed.GetValue(_steps),
            Seed = parsed.GetValue(_seed),
            BatchSize = BatchSize(parsed.GetValue(_batchSize)!),
            WithReconstruction = parsed.GetValue(_withReconstruction),
            Internal = parsed.GetValue(_internal),
            SaveDir = parsed.GetValue(_saveDir),
            Out = _output.Out(parsed),
            NParts = parsed.GetValue(_nParts),
            PartIdx = parsed.GetValue(_partIdx),
            InputImagePath = parsed.GetValue(_imagePath),
            InputCondPath = parsed.GetValue(_condPath),
            Samples = Given(_samples, UpstreamScript.Sample) ? parsed.GetValue(_samples) : 1024,
            WithInversion = Given(_withInversion, UpstreamScript.Sample) && parsed.GetValue(_withInversion),
            InputNoisePath = _script == UpstreamScript.Forward ? null : parsed.GetValue(_noisePath),
            SwapPath = Given(_swapPath, UpstreamScript.Swap) ? parsed.GetValue(_swapPath) : null,
            SwapBeforeT = Given(_swapBefore, UpstreamScript.Swap) ? parsed.GetValue(_swapBefore) : null,
            SwapType = Given(_swapType, UpstreamScript.Swap) ? parsed.GetValue(_swapType) : null,
            ForwardBeforeT = Given(_forwardBefore, UpstreamScript.Forward) ? parsed.GetValue(_forwardBefore) : null,
            ForwardSeed = Given(_forwardSeed, UpstreamScript.Forward) ? parsed.GetValue(_forwardSeed) : 42,
        };
    }

    bool Given(Option option, UpstreamScript script) => _script == script && All.Contains(option);

    static int? BatchSize(string text)
    {
        if (text == "auto")
            return null;
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var rows)
            ? rows
            : throw new BadInputException($"--batch_size is '{text}': expected a whole number, or auto.");
    }
}

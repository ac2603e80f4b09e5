using Taba.Diffusion.Metrics.Analyses;
using System.Text;
using Taba.Grains;
using Taba.Grains.Sweeps;

namespace Taba.Client.Sweeps;

/// <summary>
/// Reads a sweep file (docs/guide/sweeps.md). Strict: an unknown key, a wrong type or a value that is given twice is refused
/// with file, line and what would do.
/// </summary>
static class SweepFileReader
{
    static readonly string[] s_keys =
    [
        "name", "model", "weights", "sample_size", "samples", "seed", "num_inference_steps", "stages", "interventions", "internal",
        "batch_size",
        "metrics", "noise", "forward_noise", "deterministic", "dtype", "state_dtype", "noise_dtype", "format", "input_noise",
        "input_images",
        "input_conds", "device", "guidance_scale", "cond_seed", "n_prompts", "noises_per_prompt", "prompts", "prompts_dataset_path",
        "input_prompts",
        "labels", "inversion_steps", "forward_alignment", "decode", "on_error", "priority", "num_processes", "features", "reference",
        "network",
    ];

    /// <summary>The keys of a sweep file.</summary>
    public static IReadOnlyCollection<string> Keys => s_keys;

    /// <exception cref="BadInputException">The file cannot be read as a sweep.</exception>
    public static SweepSpec Read(string path, IEnumerable<KeyValuePair<string, string>> overrides)
    {
        var file = new FileInfo(path);
        if (Directory.Exists(path))
            throw new BadInputException($"{path} is a folder: give a sweep file, such as configs/demo.yaml.");
        if (!file.Exists)
            throw new BadInputException($"There is no sweep file {path}.");
        if (file.Length > YamlText.MaxBytes)
            throw new BadInputException($"{path} has {file.Length} bytes: a sweep file has at most {YamlText.MaxBytes}.");
        try
        {
            return Parse(File.ReadAllText(path, new UTF8Encoding(false, true)), path, overrides);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            throw new BadInputException($"{path} cannot be read: {e.Message}", e);
        }
    }

    /// <param name="source">The file's path: names it in refusals, and its folder is where relative paths are looked for first.</param>
    public static SweepSpec Parse(string text, string source, IEnumerable<KeyValuePair<string, string>> overrides)
    {
        var root = YamlText.Parse(text, source);
        if (root is not YamlMap map)
            throw root.Refuse($"a sweep file is a mapping of {string.Join(", ", s_keys.Take(8))} and so on, and this is {root.Kind}.");
        var fields = new SweepFields(SweepOverrides.Apply(map, overrides), "a sweep", s_keys);
        var paths = new SweepPaths(Path.GetDirectoryName(Path.GetFullPath(source)) ?? ".");

        var images = paths.File(fields.Text("input_images"));
        var stages = Stages(fields, images is not null);
        var defaults = new SweepSpec { Name = "", Models = [] };
        var metrics = Metrics(fields);
        return new SweepSpec
        {
            Name = fields.Text("name") ?? Path.GetFileNameWithoutExtension(source),
            Models = Models(fields, paths),
            Samples = Int(fields, "samples") ?? defaults.Samples,
            Seeds = fields.Axis("seed", SweepFields.LongOf, [.. defaults.Seeds]),
            NumInferenceSteps = fields.Axis("num_inference_steps", SweepFields.IntOf, [.. defaults.NumInferenceSteps]),
            InversionSteps = fields.Axis("inversion_steps", SweepFields.IntOf),
            WithSampling = stages.Contains(StageWord.Sample),
            WithInversion = stages.Contains(StageWord.Invert),
            WithReconstruction = stages.Contains(StageWord.Reconstruct),
            Interventions = fields.Find("interventions") is { } interventions ? InterventionReader.Read(interventions, paths) : [],
            Internal = fields.Find("internal") is { } selection ? InternalReader.Read(selection) : InternalSelection.None,
            BatchSize = fields.Find("batch_size") is { } batch and not YamlScalar { Text: "auto" }
                ? SweepFields.IntOf(batch, "batch_size")
                : null,
            Precision = new(DtypeOf(fields, "dtype"), DtypeOf(fields, "state_dtype"), DtypeOf(fields, "noise_dtype")),
            Noise = Layout(fields, "noise"),
            ForwardNoise = Layout(fields, "forward_noise"),
            Deterministic = fields.Bool("deterministic", false),
            WithMetrics = metrics.Count > 0,
            Analyses = metrics.Count > 0 ? metrics : defaults.Analyses,
            NoisePath = paths.File(fields.Text("input_noise")),
            ImagesPath = images,
            CondPath = paths.File(fields.Text("input_conds")),
            Format = fields.Find("format") is { } format
                ? SweepFields.ChoiceOf(
                    format, "format", ("safetensors", TensorFormat.Safetensors), ("pt", TensorFormat.Pt), ("npy", TensorFormat.Npy))
                : defaults.Format,
            Device = fields.Text("device") ?? defaults.Device,
            NumProcesses = Int(fields, "num_processes"),
            Conditions = ConditionReader.Read(fields, paths),
            GuidanceScales = fields.Axis("guidance_scale", SweepFields.DoubleOf, [.. defaults.GuidanceScales]),
            ForwardAlignment = fields.Find("forward_alignment") is { } alignment
                ? SweepFields.ChoiceOf(
                    alignment, "forward_alignment", ("upstream", ForwardAlignment.Upstream), ("consistent", ForwardAlignment.Consistent))
                : defaults.ForwardAlignment,
            WithDecoding = fields.Bool("decode", defaults.WithDecoding),
            OnError = OnError(fields),
            Priority = Int(fields, "priority") ?? 0,
            Features = FeaturesReader.Read(fields, paths),
            ReferencePath = paths.File(fields.Text("reference")),
            Network = fields.Find("network") is { } network
                ? SweepFields.ChoiceOf(network, "network", ("fast", NetworkForm.Fast), ("plain", NetworkForm.Plain))
                : null,
        };
    }

    static IReadOnlyList<ModelSelection> Models(SweepFields fields, SweepPaths paths)
    {
        if (!fields.Has("model"))
            throw new BadInputException($"{fields.Where}: model is missing: give a name such as demo, or the path of a model.json.");
        var size = Int(fields, "sample_size");
        var weights = WeightsReader.Read(fields, paths);
        return
        [
            .. from name in fields.Axis("model", SweepFields.TextOf)
               from file in weights
               select new ModelSelection(paths.Model(name), file.Path, size) { Checkpoint = file.Checkpoint },
        ];
    }

    static List<StageWord> Stages(SweepFields fields, bool imagesGiven)
    {
        if (fields.Find("stages") is not { } node)
            return imagesGiven ? [StageWord.Invert, StageWord.Reconstruct] : [StageWord.Sample, StageWord.Invert, StageWord.Reconstruct];
        var stages = SweepFields.AxisOf(node, "stages", (n, key) => SweepFields.ChoiceOf(
            n, key, ("sample", StageWord.Sample), ("invert", StageWord.Invert), ("reconstruct", StageWord.Reconstruct),
            ("decode", StageWord.Decode))).ToList();
        if (imagesGiven && stages.Contains(StageWord.Sample))
            throw node.Refuse("stages has sample, and input_images gives the images: leave one of them out.");
        if (stages.Contains(StageWord.Decode) && !fields.Bool("decode", true))
            throw node.Refuse("stages has decode, and decode is false: leave one of them out.");
        return stages;
    }

    static IReadOnlyList<AnalysisRequest> Metrics(SweepFields fields) => fields.Find("metrics") switch
    {
        null => [AnalysisRequest.Paper],
        YamlScalar { Text: "none" } or YamlList { Items.Count: 0 } => [],
        var node =>
        [
            // One that is named twice is measured once.
            .. SweepFields.AxisOf(node, "metrics", (n, key) => SweepFields.ChoiceOf(
                n, key,
                [
                    .. AllAnalyses.List.Select(a => (a.Name, new AnalysisRequest(a.Name, a.InParts, OfAll: a.IsCostly))),
                    // Silos measure results; what is kept of steps is read by the writer of the folder.
                    .. AllAnalyses.OfSteps.Select(a => (a.Name, new AnalysisRequest(a.Name, InParts: false, OfSteps: true))),
                    .. FeaturesReader.Analyses.Select(a => (a.Name, a)),
                ])).DistinctBy(a => a.Name),
        ],
    };

    static ErrorPolicy OnError(SweepFields fields)
    {
        if (fields.Find("on_error") is not { } node)
            return ErrorPolicy.Continue;
        // stop-after 3, or stop-after: 3.
        var text = node is YamlMap { Entries: [var (key, value)] } ? $"{key} {(value as YamlScalar)?.Text}" : (node as YamlScalar)?.Text;
        return ErrorPolicyText.Read(text ?? "") ?? throw node.Refuse($"on_error is {node.Kind}: {ErrorPolicyText.Expected}.");
    }

    static int? Int(SweepFields fields, string key) => fields.Find(key) is { } node ? SweepFields.IntOf(node, key) : null;

    /// <summary>A precision; null for auto.</summary>
    static Dtype? DtypeOf(SweepFields fields, string key) => fields.Find(key) is { } node
        ? SweepFields.ChoiceOf<Dtype?>(
            node, key, ("auto", null), ("float32", Dtype.Float32), ("float16", Dtype.Float16), ("bfloat16", Dtype.BFloat16))
        : null;

    static NoiseLayout Layout(SweepFields fields, string key) => fields.Find(key) is { } node
        ? SweepFields.ChoiceOf(node, key, ("upstream", NoiseLayout.Upstream), ("per-sample", NoiseLayout.PerSample))
        : NoiseLayout.Upstream;

    enum StageWord
    {
        Sample,
        Invert,
        Reconstruct,

        /// <summary>Pictures come with every latent model unless decode is false: named for those who look for it.</summary>
        Decode,
    }
}

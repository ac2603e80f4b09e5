namespace Taba.Grains.Sweeps;

/// <summary>
/// A user's request: the content of a sweep file, or of the flags of <c>sample</c>, <c>swap</c> and <c>forward</c>.
/// Lists are axes; the sweep is their product. Nothing here is resolved yet: that is the planner's work.
/// </summary>
[GenerateSerializer, Alias("taba.SweepSpec")]
public sealed record SweepSpec
{
    /// <summary>Name of the sweep and of its output folder.</summary>
    [Id(0)] public required string Name { get; init; }

    /// <summary>Names of models or paths of model files; an axis.</summary>
    [Id(1)] public required IReadOnlyList<ModelSelection> Models { get; init; }

    /// <summary>N: rows of the whole run, before <see cref="NParts"/> cuts it. Ignored when rows come from a file.</summary>
    [Id(2)] public int Samples { get; init; } = 1024;

    /// <summary>Seeds of the initial noise; an axis.</summary>
    [Id(3)] public IReadOnlyList<long> Seeds { get; init; } = [42];

    /// <summary>T; an axis.</summary>
    [Id(4)] public IReadOnlyList<int> NumInferenceSteps { get; init; } = [100];

    /// <summary>Sample images from noise. False when images are given by <see cref="ImagesPath"/>.</summary>
    [Id(5)] public bool WithSampling { get; init; } = true;

    [Id(6)] public bool WithInversion { get; init; }

    [Id(7)] public bool WithReconstruction { get; init; }

    /// <summary>True when the plain run (no intervention) is wanted beside the interventions.</summary>
    [Id(8)] public bool WithPlainRun { get; init; } = true;

    /// <summary>Each adds an inversion and a reconstruction beside the plain ones.</summary>
    [Id(9)] public IReadOnlyList<Intervention> Interventions { get; init; } = [];

    /// <summary>Intermediate states and predictions to keep (upstream's <c>internal</c>).</summary>
    [Id(10)] public InternalSelection Internal { get; init; } = InternalSelection.None;

    /// <summary>Rows that the engine evaluates at once; null lets the engine choose. Never changes numbers beyond rounding.</summary>
    [Id(11)] public int? BatchSize { get; init; }

    /// <summary>Network, state and noise precision: float32, float16 or bfloat16, or as upstream has it.</summary>
    [Id(12)] public PrecisionRequest Precision { get; init; } = new();

    [Id(13)] public NoiseLayout Noise { get; init; } = NoiseLayout.Upstream;

    [Id(14)] public NoiseLayout ForwardNoise { get; init; } = NoiseLayout.Upstream;

    [Id(15)] public bool Deterministic { get; init; }

    /// <summary>Write <c>metrics.json</c>.</summary>
    [Id(16)] public bool WithMetrics { get; init; } = true;

    /// <summary>The analyses whose numbers metrics.json holds, where <see cref="WithMetrics"/>.</summary>
    [Id(50)] public IReadOnlyList<AnalysisRequest> Analyses { get; init; } = [AnalysisRequest.Paper];

    /// <summary>A tensor file whose rows are the initial noise.</summary>
    [Id(17)] public string? NoisePath { get; init; }

    /// <summary>A tensor file whose rows are the images to invert.</summary>
    [Id(18)] public string? ImagesPath { get; init; }

    /// <summary>A tensor file of int64 class ids, one a row.</summary>
    [Id(19)] public string? CondPath { get; init; }

    /// <summary>The rows are cut into this many equal parts ...</summary>
    [Id(20)] public int NParts { get; init; } = 1;

    /// <summary>... of which this one is run.</summary>
    [Id(21)] public int PartIdx { get; init; }

    /// <summary>File format of the run folder's tensors.</summary>
    [Id(22)] public TensorFormat Format { get; init; } = TensorFormat.Safetensors;

    /// <summary>auto, all, cpu, cuda, or devices with commas between them, such as cuda:0,cuda:1.</summary>
    [Id(23)] public string Device { get; init; } = "auto";

    /// <summary>Compute anew, reading nothing from the store.</summary>
    [Id(24)] public bool Overwrite { get; init; }

    /// <summary>
    /// The user's parameters as upstream records them in <c>metrics.json</c> (<c>_params</c>); null derives them from the run. Values are
    /// text: numbers, true, false and null stand for themselves, and text that looks like one of them is in double quotes.
    /// </summary>
    [Id(25)] public IReadOnlyDictionary<string, string>? Parameters { get; init; }

    /// <summary>The run's files go directly into the output folder (<c>--save_dir</c>), not into sweep/run below it.</summary>
    [Id(26)] public bool FlatOutput { get; init; }

    /// <summary>The source of a conditional model's classes or prompts; ignored by unconditional models.</summary>
    [Id(27)] public ConditionRequest Conditions { get; init; } = new();

    /// <summary>Scales of classifier-free guidance; an axis. 1 or less is none.</summary>
    [Id(28)] public IReadOnlyList<double> GuidanceScales { get; init; } = [1];

    /// <summary>To which level forward replacement diffuses.</summary>
    [Id(29)] public ForwardAlignment ForwardAlignment { get; init; } = ForwardAlignment.Upstream;

    /// <summary>Decode samples and reconstructions of a latent model to images.</summary>
    [Id(30)] public bool WithDecoding { get; init; } = true;

    /// <summary>The effect of failed samples on the sweep.</summary>
    [Id(31)] public ErrorPolicy OnError { get; init; } = ErrorPolicy.Continue;

    /// <summary>A cluster serves the sweep of the higher priority first; equal ones share.</summary>
    [Id(32)] public int Priority { get; init; }

    /// <summary>
    /// The first so many devices of the kind that <see cref="Device"/> names; null is one of a kind, and all that are named.
    /// </summary>
    [Id(33)] public int? NumProcesses { get; init; }

    /// <summary>
    /// T of inversion and of the reconstruction from it; an axis. Empty is the T of sampling, <see cref="NumInferenceSteps"/>.
    /// </summary>
    [Id(34)] public IReadOnlyList<int> InversionSteps { get; init; } = [];

    /// <summary>Weights of the networks that pictures are measured by: a file or a folder for each name.</summary>
    [Id(51)] public IReadOnlyDictionary<string, string> Features { get; init; } = new Dictionary<string, string>();

    /// <summary>What samples are compared with as a set: pictures, a tensor, or statistics of features; null when nothing is.</summary>
    [Id(52)] public string? ReferencePath { get; init; }

    /// <summary>How networks are computed; null leaves it to the silo's settings. It changes numbers by rounding alone.</summary>
    [Id(53)] public NetworkForm? Network { get; init; }
}

/// <summary>An analysis that a user asks for.</summary>
/// <param name="Name">Its name.</param>
/// <param name="InParts">Whether silos may measure some rows each.</param>
/// <param name="OfAll">Whether some rows are compared with all.</param>
/// <param name="OfSteps">Whether it reads what a run keeps of its steps.</param>
[GenerateSerializer, Alias("taba.AnalysisRequest")]
public sealed record AnalysisRequest(string Name, bool InParts = true, bool OfAll = false, bool OfSteps = false)
{
    /// <summary>Upstream's numbers.</summary>
    public static readonly AnalysisRequest Paper = new("paper");

    /// <summary>What it needs when networks make it; null when none does.</summary>
    [Id(10)] public PictureNeeds? Pictures { get; init; }
}

/// <summary>
/// The number of samples that may fail before the sweep hands out no more work. Parts that run are finished, and published rows stay.
/// </summary>
/// <param name="StopAfter">The sweep stops when this many have failed; 1 is <c>fail-fast</c>, null <c>continue</c>.</param>
[GenerateSerializer, Immutable, Alias("taba.ErrorPolicy")]
public sealed record ErrorPolicy(int? StopAfter)
{
    public static readonly ErrorPolicy Continue = new((int?)null);

    public static readonly ErrorPolicy FailFast = new(1);
}

/// <summary>
/// Conditions as the user asks for them. A file with one condition a row (<see cref="SweepSpec.CondPath"/>, <see cref="PromptsPath"/>)
/// comes before labels, and labels before a draw.
/// </summary>
[GenerateSerializer, Alias("taba.ConditionRequest")]
public sealed record ConditionRequest
{
    /// <summary>
    /// The source of prompts: <c>dataset</c> (Recap-COCO-30K), <c>null</c> (the empty prompt), <c>hobbit</c>, or the path of a
    /// text file with a prompt a line or of a .json list. Null means <c>dataset</c>.
    /// </summary>
    [Id(0)] public string? Prompts { get; init; }

    /// <summary>The dataset's parquet file or folder; null looks in the Hugging Face cache.</summary>
    [Id(1)] public string? DatasetPath { get; init; }

    /// <summary>Prompts, one a row: upstream's prompts.pkl, or a .json list of strings.</summary>
    [Id(2)] public string? PromptsPath { get; init; }

    /// <summary>Class names or ids, each for <see cref="NoisesPerPrompt"/> consecutive rows.</summary>
    [Id(3)] public IReadOnlyList<string>? Labels { get; init; }

    /// <summary>Seed of the draw.</summary>
    [Id(4)] public long CondSeed { get; init; } = 10;

    /// <summary>The number of prompts or classes that are drawn; null draws as many as <see cref="SweepSpec.Samples"/> needs.</summary>
    [Id(5)] public int? NPrompts { get; init; }

    /// <summary>Consecutive rows that share a condition.</summary>
    [Id(6)] public int NoisesPerPrompt { get; init; } = 4;
}

/// <summary>Which level forward replacement of the first K inversion steps diffuses to, in the families of diffusers.</summary>
public enum ForwardAlignment
{
    /// <summary>Upstream's: the level of timestep t_K, one step noisier than step K expects (facts of the paper's code).</summary>
    Upstream,

    /// <summary>The level of timestep t_(K-1), which step K expects.</summary>
    Consistent,
}

/// <summary>A model as the user names it.</summary>
/// <param name="NameOrPath">A known name, a folder, or the path of a model.json.</param>
/// <param name="WeightsPath">Overrides where the weights are.</param>
/// <param name="SampleSize">Height and width of the state; null is the model's own.</param>
[GenerateSerializer, Alias("taba.ModelSelection")]
public sealed record ModelSelection(string NameOrPath, string? WeightsPath = null, int? SampleSize = null)
{
    /// <summary>What a sweep over several weights files calls this one, unique in it; null where there is no such axis.</summary>
    [Id(10)] public string? Checkpoint { get; init; }
}

/// <summary>The treatment of the first K inversion steps.</summary>
public enum InterventionKind
{
    /// <summary>The prediction is replaced by the true one of sampling.</summary>
    SwapEps,

    /// <summary>The state is replaced by the true one of sampling.</summary>
    SwapXt,

    /// <summary>The steps are replaced by forward diffusion.</summary>
    Forward,
}

/// <summary>One intervention on inversion.</summary>
/// <param name="Kind">What replaces the first steps.</param>
/// <param name="Before">K: how many inversion steps are replaced.</param>
/// <param name="Seed">Seed of the forward noise.</param>
/// <param name="SwapPath">
/// A [T,N,C,H,W] file with the true predictions or states; null takes them from the sweep's own sampling stage.
/// </param>
[GenerateSerializer, Alias("taba.Intervention")]
public sealed record Intervention(InterventionKind Kind, int Before, long Seed = 42, string? SwapPath = null)
{
    /// <summary>The kind of swap; null for forward replacement.</summary>
    public SwapKind? Swap => Kind switch
    {
        InterventionKind.SwapEps => SwapKind.Eps,
        InterventionKind.SwapXt => SwapKind.Xt,
        _ => null,
    };

    /// <summary>A name for folders, such as <c>forward3</c> or <c>swap_eps_before1</c>.</summary>
    public string Slug => Kind switch
    {
        InterventionKind.SwapEps => $"swap_eps_before{Before}",
        InterventionKind.SwapXt => $"swap_xt_before{Before}",
        _ => $"forward_before{Before}",
    };
}

/// <summary>Which intermediate tensors are kept.</summary>
/// <param name="Kinds">Which tensors; <see cref="TensorKinds.None"/> keeps nothing.</param>
/// <param name="Every">Every how many steps, the last step always included; 1 keeps all.</param>
[GenerateSerializer, Alias("taba.InternalSelection")]
public sealed record InternalSelection(TensorKinds Kinds, int Every = 1)
{
    public static readonly InternalSelection None = new(TensorKinds.None);

    public static readonly InternalSelection All = new(TensorKinds.State | TensorKinds.Eps | TensorKinds.PredXstart);
}

/// <summary>The three precisions as the user asks for them; null is <c>auto</c>.</summary>
[GenerateSerializer, Alias("taba.PrecisionRequest")]
public sealed record PrecisionRequest(Dtype? Network = null, Dtype? State = null, Dtype? Noise = null);

using System.Collections.Immutable;

namespace Taba.Grains.Sweeps;

/// <summary>A resolved sweep: its tree of stages, and the run folders that are views of them.</summary>
/// <param name="SweepId">Digest of the resolved sweep: the same sweep submitted twice is one sweep.</param>
/// <param name="Name">Name of the sweep.</param>
/// <param name="Stages">Parents before children.</param>
/// <param name="Runs">Run folders, in the order of the sweep file.</param>
[GenerateSerializer, Immutable, Alias("taba.SweepPlan")]
public sealed record SweepPlan(string SweepId, string Name, ImmutableArray<PlannedStage> Stages, ImmutableArray<PlannedRun> Runs)
{
    /// <summary>
    /// The effect of failed samples on the sweep. Not part of its identity: a sweep that is submitted again may have another.
    /// </summary>
    [Id(10)] public ErrorPolicy OnError { get; init; } = ErrorPolicy.Continue;

    /// <summary>The sweep of the higher priority is served first; equal ones share. Not part of its identity.</summary>
    [Id(11)] public int Priority { get; init; }

    /// <summary>Who planned it; null from one that is too old to say. Not part of its identity, but its stages' keys are.</summary>
    [Id(12)] public ProgramVersion? Version { get; init; }

    /// <summary>
    /// Evaluations a second that its planner expects of the devices, from earlier runs; null when it knows of none. Not part of its
    /// identity.
    /// </summary>
    [Id(13)] public double? ExpectedRate { get; init; }

    /// <summary>How its folders are written; null from a planner that is too old to say. Not part of its identity.</summary>
    [Id(14)] public PlannedFiles? Files { get; init; }

    /// <summary>The numerics version of the keys of its stages.</summary>
    public int Numerics => Version?.Numerics ?? ProgramVersion.Own.Numerics;

    /// <summary>Rows times evaluations of all stages, were nothing done before.</summary>
    public long Evaluations => Stages.Sum(s => (long)s.Rows.Count * s.Spec.EvaluationsPerRow);

    public PlannedStage Stage(string key) => Stages.First(s => s.Key == key);
}

/// <summary>Rows of a stage that a sweep wants, and what it wants kept of them.</summary>
[GenerateSerializer, Immutable, Alias("taba.PlannedStage")]
public sealed record PlannedStage(string Key, StageSpec Spec, RowRange Rows, CaptureSelection Keep);

/// <summary>A run folder: upstream's files of one combination of axis values and one intervention.</summary>
/// <param name="Slug">Name of the folder below the sweep's; without a time, so that the same command finds it again.</param>
/// <param name="Axes">Axis values, by upstream's flag names.</param>
/// <param name="Intervention">Null for the plain run.</param>
/// <param name="Rows">Rows of the stages that this run shows.</param>
/// <param name="Tensors">Its files.</param>
[GenerateSerializer, Immutable, Alias("taba.PlannedRun")]
public sealed record PlannedRun(
    string Slug,
    ImmutableArray<KeyValuePair<string, string>> Axes,
    Intervention? Intervention,
    RowRange Rows,
    ModelIdentity Model,
    ImmutableArray<RunTensor> Tensors)
{
    /// <summary>The prompts of its rows; null when the model takes none.</summary>
    [Id(10)] public PromptRows? Prompts { get; init; }

    /// <summary>
    /// The two tensors of which <c>reconstruction_error_images</c> is the error, as upstream's script of this family takes them.
    /// </summary>
    [Id(11)] public ImagePair Images { get; init; } = ImagePair.States;

    /// <summary>The analyses whose numbers metrics.json holds; default from a planner that knew upstream's only.</summary>
    [Id(50)] public ImmutableArray<AnalysisRequest> Analyses { get; init; }

    /// <summary>The stage that measures it; null where its folder's writer does.</summary>
    [Id(51)] public string? MeasureKey { get; init; }

    /// <summary>By what networks measure its pictures; null where none does.</summary>
    [Id(52)] public PlannedPictures? ByNetworks { get; init; }

    public RunTensor? Tensor(string name) => Tensors.FirstOrDefault(t => t.Name == name);

    /// <summary>
    /// The pictures of <c>samples</c> or <c>samples2</c>: their decoded form, or the states when they are pictures themselves.
    /// </summary>
    public RunTensor? Pictures(string name) => Tensors.FirstOrDefault(t => t.DecodedFrom == name) ?? Tensor(name);
}

/// <summary>Which tensors of a run are its images before and after.</summary>
public enum ImagePair
{
    /// <summary>samples and samples2.</summary>
    States,

    /// <summary>Their decoded forms.</summary>
    Decoded,
}

/// <summary>A tensor file of a run folder.</summary>
/// <param name="Name">Upstream's name without extension.</param>
/// <param name="Rows">Where its rows come from: noise, a stage's result, or a file.</param>
/// <param name="Kind">None for a result, else which kept tensor of the stage.</param>
/// <param name="Steps">The steps that a kept tensor holds, in order; empty for a result.</param>
/// <param name="Shape">Shape of a row; null for one int64 a row.</param>
[GenerateSerializer, Immutable, Alias("taba.RunTensor")]
public sealed record RunTensor(string Name, RowsRef Rows, TensorKinds Kind, ImmutableArray<int> Steps, StateShape? Shape)
{
    /// <summary>Pictures that an autoencoder made, of <c>samples</c> or <c>samples2</c>; null for any other tensor.</summary>
    [Id(10)] public string? DecodedFrom { get; init; }

    /// <summary>The element type of a stage's rows in the file; what is kept in half precision is written so.</summary>
    [Id(11)] public Dtype Dtype { get; init; } = Dtype.Float32;
}

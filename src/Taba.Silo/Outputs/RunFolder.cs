using Taba.Diffusion.Metrics.Analyses;
using Taba.Storage.RunFolders;
using System.Collections.Immutable;
using System.Text.Json;
using Taba.Grains.Sweeps;

namespace Taba.Silo.Outputs;

/// <summary>A run folder as its <c>manifest.json</c> describes it.</summary>
public sealed record RunFolder
{
    public const string ManifestName = "manifest.json";

    public const string MetricsName = "metrics.json";

    public int Schema { get; init; } = 1;

    public required string Sweep { get; init; }

    public required string SweepId { get; init; }

    public required string Run { get; init; }

    /// <summary>Axis values by flag name.</summary>
    public required ImmutableSortedDictionary<string, string> Axes { get; init; }

    /// <summary>forward_before3, swap_eps_before1 ...; null for the plain run.</summary>
    public string? Intervention { get; init; }

    /// <summary>The same field by field; null for the plain run.</summary>
    public RunIntervention? InterventionFields { get; init; }

    public required int RowStart { get; init; }

    public required int RowEnd { get; init; }

    public required RunModel Model { get; init; }

    public required ImmutableArray<RunStage> Stages { get; init; }

    public required ImmutableArray<RunFile> Tensors { get; init; }

    /// <summary>The tensors whose difference is <c>reconstruction_error_images</c>: before and after.</summary>
    public ImmutableArray<string> Images { get; init; } = ["samples", "samples2"];

    /// <summary>The analyses whose numbers metrics.json holds; null in folders of earlier versions, which have upstream's.</summary>
    public ImmutableArray<string>? Analyses { get; init; }

    /// <summary>
    /// Digests of the networks that measured pictures, by their names, and of the reference as <c>reference</c>; null where none did.
    /// </summary>
    public ImmutableSortedDictionary<string, string>? Features { get; init; }

    public required string Device { get; init; }

    public required ImmutableSortedDictionary<string, string> Versions { get; init; }

    /// <summary>The first samples that could not be computed, each with another reason.</summary>
    public ImmutableArray<RunFailure> Failures { get; init; } = [];

    /// <summary>
    /// All samples that could not be computed; their rows hold NaN. Absent in folders of earlier versions, whose failures are all named.
    /// </summary>
    public ImmutableArray<RunFailedRows> Failed { get; init; } = [];

    /// <summary>Samples that gave NaN or Inf in half precision and were computed again.</summary>
    public ImmutableArray<RunRetry> Retried { get; init; } = [];

    /// <summary>
    /// Rows of a stage that stand under another stage's key: those that were computed again, and those that begin with them.
    /// </summary>
    public ImmutableArray<RunSubstitute> Substitutes { get; init; } = [];

    /// <summary>Reasons why numbers may differ elsewhere, such as a processor without AVX2.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>
    /// Seconds that devices gave to the evaluations of <see cref="Stages"/>, whichever command or cluster made them; null when a part does
    /// not say.
    /// </summary>
    public double? WallSeconds { get; init; }

    public required DateTimeOffset WrittenAt { get; init; }

    /// <summary>True when it holds all of a planned run, from the same stages. Their parts are not compared.</summary>
    public bool Holds(SweepPlan plan, PlannedRun run, OutputFolder folder, TensorFormat format) =>
        RowStart == run.Rows.Start && RowEnd == run.Rows.End
        && Stages.Select(s => s.Key).SequenceEqual(RunStages.Of(plan, run).Select(s => s.Key))
        && HasAxesOf(run)
        && (run.Analyses is { IsDefaultOrEmpty: true } || HasAnalysesOf(run))
        && Tensors.Length == run.Tensors.Length
        && Tensors.Zip(run.Tensors).All(p => p.First.Name == p.Second.Name && p.First.Steps.SequenceEqual(p.Second.Steps))
        && Tensors.All(t => t.File.EndsWith(format.Extension(), StringComparison.Ordinal)
            && folder.Length(t.File) == t.Bytes);

    /// <summary>True when metrics.json has what a plan asks for.</summary>
    internal bool HasAnalysesOf(PlannedRun run) =>
        (Analyses ?? [AllAnalyses.Paper]).SequenceEqual(RunMetrics.NamesOf(run))
        && (Features ?? ImmutableSortedDictionary<string, string>.Empty).SequenceEqual(
            FeaturesOf(run) ?? ImmutableSortedDictionary<string, string>.Empty);

    /// <summary>What a plan has a run's pictures measured by; null where nothing is.</summary>
    internal static ImmutableSortedDictionary<string, string>? FeaturesOf(PlannedRun run) => run.ByNetworks is { } planned
        ? planned.Features.Select(f => KeyValuePair.Create(f.Network, f.Digest))
            .Concat(planned.Reference is { } reference ? [new(MeasureSetting.ReferenceRole, reference.Digest)] : [])
            .ToImmutableSortedDictionary(StringComparer.Ordinal)
        : null;

    /// <summary>
    /// True when it names a plan's axes. A sweep may have got another one at the value that it had before; one that it has no more may
    /// stay.
    /// </summary>
    internal bool HasAxesOf(PlannedRun run) => run.Axes.All(axis => Axes.GetValueOrDefault(axis.Key) == axis.Value);

    /// <summary>Reads a folder's manifest; null when it has none.</summary>
    /// <exception cref="InvalidDataException">The manifest is not one of ours.</exception>
    public static RunFolder? Read(OutputFolder folder)
    {
        if (folder.Read(ManifestName) is not { } bytes)
            return null;
        var path = $"{folder.Place}/{ManifestName}";
        try
        {
            return JsonSerializer.Deserialize<RunFolder>(bytes, RunJson.Options) ?? throw new InvalidDataException($"{path} is empty.");
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException(
                $"{path} is not a run's manifest ({exception.Message}): move the folder away, or choose another --out.", exception);
        }
    }

    /// <summary>Reads the manifest of a directory.</summary>
    /// <inheritdoc cref="Read(OutputFolder)"/>
    public static RunFolder? Read(string directory) => Read(OutputFolder.At(directory));
}

/// <summary>The model of a run.</summary>
public sealed record RunModel(string Family, string Path, string? WeightsPath, string Digest, ImmutableArray<int> StateShape);

/// <summary>A stage that a run shows.</summary>
/// <param name="Fields">Everything its numbers depend on, as it entered the key.</param>
/// <param name="Timesteps">What the network received, in executed order; swapped and replaced steps included.</param>
/// <param name="Evaluations">Network evaluations behind its rows.</param>
/// <param name="Parts">The published parts.</param>
public sealed record RunStage(
    string Kind, string Key, ImmutableSortedDictionary<string, string> Fields, ImmutableArray<float> Timesteps, long Evaluations,
    ImmutableArray<RunPart> Parts)
{
    /// <summary>
    /// The same evaluations by the device that made them: cpu, cpu:1, cuda:0. A part's are those of the device that ended it.
    /// </summary>
    public ImmutableSortedDictionary<string, long> Devices { get; init; } = ImmutableSortedDictionary<string, long>.Empty;

    /// <summary>Seconds that devices gave to the evaluations; null when a part of an earlier version does not say.</summary>
    public double? Seconds { get; init; }

    /// <summary>Of several stages together; null when one does not say.</summary>
    public static double? SecondsOf(IEnumerable<RunStage> stages) =>
        stages.Aggregate((double?)0, static (sum, stage) => sum + stage.Seconds);
}

/// <summary>A part with the digests of its tensors.</summary>
public sealed record RunPart(int RowStart, int RowEnd, string Attempt, ImmutableSortedDictionary<string, string> Sha256);

/// <summary>A tensor file.</summary>
/// <param name="Steps">The steps on its first axis; empty when it has no such axis.</param>
public sealed record RunFile(string Name, string File, string Dtype, ImmutableArray<long> Shape, long Bytes, ImmutableArray<int> Steps);

/// <summary>A sample without a result.</summary>
public sealed record RunFailure(string Stage, int Sample, int Step, string Reason);

/// <summary>Samples of a stage that could not be computed for one kind of reason: rows [Start, End).</summary>
public sealed record RunFailedRows(string Stage, string Kind, int Start, int End);

/// <summary>A sample that was computed again in a higher precision.</summary>
/// <param name="Stage">Key of the stage in which it gave NaN or Inf.</param>
/// <param name="FromDtype">Precision of the network then.</param>
/// <param name="ToDtype">Precision of the network of its row here.</param>
/// <param name="Key">The stage that holds its row.</param>
public sealed record RunRetry(
    string Stage, int Sample, Dtype FromDtype, Dtype ToDtype, Dtype FromStateDtype, Dtype ToStateDtype, string Key);

/// <summary>Rows of a stage that another stage holds.</summary>
public sealed record RunSubstitute(string Stage, int RowStart, int RowEnd, string Key);

using Orleans;

namespace Taba;

/// <summary>Everything that the numbers of a stage depend on, and where to find its inputs. Its digest is the stage's key.</summary>
[GenerateSerializer, Immutable, Alias("taba.StageSpec")]
public sealed record StageSpec
{
    [Id(0)] public required StageKind Kind { get; init; }

    [Id(1)] public required ModelIdentity Model { get; init; }

    [Id(2)] public required int NumInferenceSteps { get; init; }

    [Id(3)] public required Precision Precision { get; init; }

    [Id(4)] public required RowsRef Input { get; init; }

    [Id(5)] public SwapSetting? Swap { get; init; }

    [Id(6)] public ForwardSetting? Forward { get; init; }

    /// <summary>Class ids or prompts, one a row; null for an unconditional model.</summary>
    [Id(7)] public RowsRef? Conditions { get; init; }

    /// <summary>Set under <c>--deterministic</c>: then the batch shape and the kind of device belong to the numbers.</summary>
    [Id(8)] public DeterminismSetting? Determinism { get; init; }

    /// <summary>Scale of classifier-free guidance; 1 is none.</summary>
    [Id(9)] public double Guidance { get; init; } = 1;

    /// <summary>Shape of a result's row when it is not the state's: pictures of a decoder, and states of an encoder.</summary>
    [Id(10)] public StateShape? Output { get; init; }

    /// <summary>What is measured; null in a stage that makes rows.</summary>
    [Id(50)] public MeasureSetting? Measure { get; init; }

    /// <summary>True when trajectories step through it. Otherwise whole rows pass through an autoencoder once, or are measured.</summary>
    public bool HasSteps => Kind is StageKind.Sample or StageKind.Invert or StageKind.Reconstruct;

    /// <summary>Shape of a result's row.</summary>
    public StateShape ResultShape => Output ?? Model.Shape;

    /// <summary>The name of this stage's result in the store: upstream's, where the family does not change it.</summary>
    public string ResultName => Kind switch
    {
        StageKind.Sample => "samples",
        StageKind.Invert => "latents",
        StageKind.Reconstruct => "samples2",
        StageKind.Decode => "decoded",
        StageKind.Encode => "encoded",
        _ => "measured",
    };

    /// <summary>Upstream's name of a kept tensor.</summary>
    public string CaptureName(TensorKinds kind) => kind switch
    {
        TensorKinds.State => $"all_t_{ResultName}",
        TensorKinds.Eps => $"all_t_eps_{ResultName}",
        _ => $"all_t_pred_xstart_{ResultName}",
    };

    /// <summary>The first step that is executed: K after forward replacement, else 0.</summary>
    public int FirstStep => Forward?.Before ?? 0;

    /// <summary>
    /// Network evaluations of one row: forward-replaced and swapped steps cost none, guided ones two. To measure takes none.
    /// </summary>
    public int EvaluationsPerRow => HasSteps
        ? (NumInferenceSteps - FirstStep - (Swap?.Before ?? 0)) * (Guidance > 1 ? 2 : 1)
        : Measure is null ? 1 : 0;

    /// <summary>Key of the stage whose rows this one reads; null when they come from noise or a file.</summary>
    public string? ParentKey => (Input as StageRows)?.Key;

    /// <summary>Keys of all stages that this one reads, each once.</summary>
    public IEnumerable<string> InputKeys =>
        (Measure is { } measure ? measure.Tensors.Select(tensor => (RowsRef?)tensor.Rows) : [Input, Swap?.Source])
        .OfType<StageRows>().Select(rows => rows.Key).Distinct();

    /// <summary>The rows of this stage all of whose inputs are among these: the same ones, but where it measures.</summary>
    public RowSet Ready(RowSet inputs) => Measure is { } measure
        ? Of(measure, block => inputs.Contains(measure.Needs(block)))
        : inputs;

    /// <summary>The rows of this stage that need any of these.</summary>
    public RowSet Without(RowSet inputs) => Measure is { } measure
        ? Of(measure, block => !inputs.Intersect(measure.Needs(block)).IsEmpty)
        : inputs;

    static RowSet Of(MeasureSetting measure, Func<int, bool> blocks) => RowSet.Of(
    [
        .. Enumerable.Range(0, MeasureSetting.Blocks).Where(b => !measure.RowsOf(b).IsEmpty && blocks(b))
            .Select(b => new RowRange(b, b + 1)),
    ]);
}

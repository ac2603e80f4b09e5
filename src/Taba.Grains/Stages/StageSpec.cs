using Taba.Grains.Sweeps;

namespace Taba.Grains.Stages;

/// <summary>What a stage does.</summary>
public enum StageKind
{
    /// <summary>Noise to images.</summary>
    Sample,

    /// <summary>Images to latents.</summary>
    Invert,

    /// <summary>Latents to images.</summary>
    Reconstruct,
}

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

    /// <summary>Class ids, one a row.</summary>
    [Id(7)] public FileRows? Conditions { get; init; }

    /// <summary>Set under <c>--deterministic</c>: then the batch shape and the kind of device belong to the numbers.</summary>
    [Id(8)] public DeterminismSetting? Determinism { get; init; }

    /// <summary>Upstream's name of this stage's result.</summary>
    public string ResultName => Kind switch
    {
        StageKind.Sample => "samples",
        StageKind.Invert => "latents",
        _ => "samples2",
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

    /// <summary>Network evaluations of one row: forward-replaced and swapped steps cost none.</summary>
    public int EvaluationsPerRow => NumInferenceSteps - FirstStep - (Swap?.Before ?? 0);

    /// <summary>Key of the stage whose rows this one reads; null when they come from noise or a file.</summary>
    public string? ParentKey => (Input as StageRows)?.Key;
}

/// <summary>A model whose identity is settled: what it is (in the key) and where it is (not in the key).</summary>
/// <param name="Digest">Digest of architecture and weights.</param>
/// <param name="Family">adm, gaussian, ...</param>
/// <param name="Path">Path of its model.json.</param>
/// <param name="WeightsPath">Path of its weights, when not the file's own.</param>
[GenerateSerializer, Immutable, Alias("taba.ModelIdentity")]
public sealed record ModelIdentity(string Digest, string Family, string Path, string? WeightsPath, int Channels, int Height, int Width)
{
    public long RowElements => (long)Channels * Height * Width;

    /// <summary>Bytes of one row of a float32 state.</summary>
    public long RowBytes => RowElements * sizeof(float);
}

/// <summary>Resolved precisions: float32, float16 or bfloat16.</summary>
[GenerateSerializer, Immutable, Alias("taba.Precision")]
public sealed record Precision(string Network, string State, string Noise);

/// <summary>Where rows come from.</summary>
[GenerateSerializer, Immutable, Alias("taba.RowsRef")]
public abstract record RowsRef;

/// <summary>Noise at an address.</summary>
/// <param name="TotalRows">N of the draw; in the key only where the numbers depend on it.</param>
[GenerateSerializer, Immutable, Alias("taba.NoiseRows")]
public sealed record NoiseRows(NoiseLayout Layout, long Seed, string Dtype, int TotalRows) : RowsRef;

/// <summary>The result of another stage.</summary>
[GenerateSerializer, Immutable, Alias("taba.StageRows")]
public sealed record StageRows(string Key) : RowsRef;

/// <summary>A tensor in a file.</summary>
/// <param name="Digest">SHA-256 of the tensor's bytes.</param>
[GenerateSerializer, Immutable, Alias("taba.FileRows")]
public sealed record FileRows(string Path, string Digest, int TotalRows) : RowsRef;

/// <summary>The first <paramref name="Before"/> predictions (or states) are those of <paramref name="Source"/>.</summary>
/// <param name="Kind">SwapEps or SwapXt.</param>
/// <param name="Before">K.</param>
/// <param name="Source">The sampling stage, or a [T,N,C,H,W] file.</param>
/// <param name="Noise">The noise that sampling began with: what swap xt needs when K = T; null when unknown.</param>
[GenerateSerializer, Immutable, Alias("taba.SwapSetting")]
public sealed record SwapSetting(InterventionKind Kind, int Before, RowsRef Source, RowsRef? Noise);

/// <summary>The first <paramref name="Before"/> inversion steps are replaced by forward diffusion with this noise.</summary>
[GenerateSerializer, Immutable, Alias("taba.ForwardSetting")]
public sealed record ForwardSetting(int Before, NoiseRows Noise);

/// <summary>The batch shape and kind of device to which a deterministic stage is bound.</summary>
[GenerateSerializer, Immutable, Alias("taba.DeterminismSetting")]
public sealed record DeterminismSetting(int BatchRows, string DeviceKind);

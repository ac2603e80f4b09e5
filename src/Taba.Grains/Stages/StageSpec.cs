using System.Collections.Immutable;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Stages;

/// <summary>The kinds of stages.</summary>
public enum StageKind
{
    /// <summary>Noise to images.</summary>
    Sample,

    /// <summary>Images to latents.</summary>
    Invert,

    /// <summary>Latents to images.</summary>
    Reconstruct,

    /// <summary>States of a latent model to pictures, by its autoencoder.</summary>
    Decode,

    /// <summary>Pictures to states of a latent model, by its autoencoder.</summary>
    Encode,
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

    /// <summary>Class ids or prompts, one a row; null for an unconditional model.</summary>
    [Id(7)] public RowsRef? Conditions { get; init; }

    /// <summary>Set under <c>--deterministic</c>: then the batch shape and the kind of device belong to the numbers.</summary>
    [Id(8)] public DeterminismSetting? Determinism { get; init; }

    /// <summary>Scale of classifier-free guidance; 1 is none.</summary>
    [Id(9)] public double Guidance { get; init; } = 1;

    /// <summary>Shape of a result's row when it is not the state's: pictures of a decoder, and states of an encoder.</summary>
    [Id(10)] public RowShape? Output { get; init; }

    /// <summary>True when trajectories step through it. Otherwise whole rows pass through an autoencoder once.</summary>
    public bool HasSteps => Kind is StageKind.Sample or StageKind.Invert or StageKind.Reconstruct;

    /// <summary>Shape of a result's row.</summary>
    public RowShape ResultShape => Output ?? Model.Shape;

    /// <summary>The name of this stage's result in the store: upstream's, where the family does not change it.</summary>
    public string ResultName => Kind switch
    {
        StageKind.Sample => "samples",
        StageKind.Invert => "latents",
        StageKind.Reconstruct => "samples2",
        StageKind.Decode => "decoded",
        _ => "encoded",
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

    /// <summary>Network evaluations of one row: forward-replaced and swapped steps cost none, guided ones two.</summary>
    public int EvaluationsPerRow => HasSteps
        ? (NumInferenceSteps - FirstStep - (Swap?.Before ?? 0)) * (Guidance > 1 ? 2 : 1)
        : 1;

    /// <summary>Key of the stage whose rows this one reads; null when they come from noise or a file.</summary>
    public string? ParentKey => (Input as StageRows)?.Key;
}

/// <summary>A model whose identity is settled: what it is (in the key) and where it is (not in the key).</summary>
/// <param name="Digest">Digest of architecture and weights.</param>
/// <param name="Family">adm, gaussian, ldm, dit or if; autoencoder for the model of a decode or encode stage.</param>
/// <param name="Path">Path of its model.json or Hugging Face folder; of an autoencoder its component's folder.</param>
/// <param name="WeightsPath">Path of its weights, when not the file's own.</param>
[GenerateSerializer, Immutable, Alias("taba.ModelIdentity")]
public sealed record ModelIdentity(string Digest, string Family, string Path, string? WeightsPath, int Channels, int Height, int Width)
{
    /// <summary>The name that the user gave, under which another machine may have it; null when it was a path.</summary>
    [Id(10)] public string? Name { get; init; }

    /// <summary>The state of one sample.</summary>
    public RowShape Shape => new(Channels, Height, Width);

    public long RowElements => Shape.Elements;

    /// <summary>Bytes of one row of a float32 state.</summary>
    public long RowBytes => Shape.Bytes;
}

/// <summary>The shape of one row: channels, height, width.</summary>
[GenerateSerializer, Immutable, Alias("taba.RowShape")]
public readonly record struct RowShape(int Channels, int Height, int Width)
{
    public long Elements => (long)Channels * Height * Width;

    /// <summary>Bytes of one row in float32.</summary>
    public long Bytes => Elements * sizeof(float);

    public override string ToString() => $"{Channels}x{Height}x{Width}";
}

/// <summary>Resolved precisions: float32, float16 or bfloat16.</summary>
[GenerateSerializer, Immutable, Alias("taba.Precision")]
public sealed record Precision(string Network, string State, string Noise);

/// <summary>A source of rows.</summary>
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

/// <summary>Pictures of a folder, or one picture, brought to one size, as values in [-1,1].</summary>
/// <param name="Digest">Over names and bytes of the files.</param>
[GenerateSerializer, Immutable, Alias("taba.ImageRows")]
public sealed record ImageRows(string Path, string Digest, int TotalRows, int Height, int Width) : RowsRef;

/// <summary>Class ids drawn as upstream draws them, each for several consecutive rows.</summary>
/// <param name="LabelsDigest">Digest of the model's class names, which the draw goes through.</param>
/// <param name="TotalRows">N; not in the key: the draw is the same, however long.</param>
[GenerateSerializer, Immutable, Alias("taba.DrawnClassRows")]
public sealed record DrawnClassRows(long CondSeed, int NoisesPerPrompt, string LabelsDigest, int TotalRows) : RowsRef;

/// <summary>Class ids that the user lists, each for several consecutive rows.</summary>
[GenerateSerializer, Immutable, Alias("taba.ListedClassRows")]
public sealed record ListedClassRows(ImmutableArray<long> Ids, int NoisesPerPrompt) : RowsRef;

/// <summary>Prompts, each for several consecutive rows.</summary>
/// <remarks>The digest tells apart how many rows a prompt has.</remarks>
/// <param name="Source">null, hobbit, dataset, or the path of a file.</param>
/// <param name="DatasetPath">Where the dataset is; null for other sources.</param>
/// <param name="Digest">Of what the prompt of a row depends on; the same, however many prompts are drawn.</param>
/// <param name="RowByRow">The file holds one prompt a row.</param>
[GenerateSerializer, Immutable, Alias("taba.PromptRows")]
public sealed record PromptRows(string Source, string? DatasetPath, string Digest, long CondSeed, int NoisesPerPrompt, int TotalRows, bool RowByRow) : RowsRef;

/// <summary>The first <paramref name="Before"/> predictions (or states) are those of <paramref name="Source"/>.</summary>
/// <param name="Kind">SwapEps or SwapXt.</param>
/// <param name="Before">K.</param>
/// <param name="Source">The sampling stage, or a [T,N,C,H,W] file.</param>
/// <param name="Noise">The noise that sampling began with: what swap xt needs when K = T; null when unknown.</param>
[GenerateSerializer, Immutable, Alias("taba.SwapSetting")]
public sealed record SwapSetting(InterventionKind Kind, int Before, RowsRef Source, RowsRef? Noise);

/// <summary>The first <paramref name="Before"/> inversion steps are replaced by forward diffusion with this noise.</summary>
/// <param name="Consistent">To the level that the next step expects, in families where upstream's is another.</param>
[GenerateSerializer, Immutable, Alias("taba.ForwardSetting")]
public sealed record ForwardSetting(int Before, NoiseRows Noise, bool Consistent = false);

/// <summary>The batch shape and kind of device to which a deterministic stage is bound.</summary>
[GenerateSerializer, Immutable, Alias("taba.DeterminismSetting")]
public sealed record DeterminismSetting(int BatchRows, string DeviceKind);

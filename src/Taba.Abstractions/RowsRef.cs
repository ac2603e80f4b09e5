using System.Collections.Immutable;
using Orleans;

namespace Taba;

/// <summary>A source of rows.</summary>
[GenerateSerializer, Immutable, Alias("taba.RowsRef")]
public abstract record RowsRef;

/// <summary>Noise at an address.</summary>
/// <param name="TotalRows">N of the draw; in the key only where the numbers depend on it.</param>
[GenerateSerializer, Immutable, Alias("taba.NoiseRows")]
public sealed record NoiseRows(NoiseLayout Layout, long Seed, Dtype Dtype, int TotalRows) : RowsRef
{
    /// <summary>The address of this noise for one use and shape of row.</summary>
    public NoiseAddress Address(NoiseStream stream, StateShape shape) => new(Layout, Seed, Dtype, stream, shape, TotalRows);
}

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
public sealed record PromptRows(
    string Source, string? DatasetPath, string Digest, long CondSeed, int NoisesPerPrompt, int TotalRows, bool RowByRow) : RowsRef;

using Orleans;

namespace Taba;

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
    public StateShape Shape => new(Channels, Height, Width);

    public long RowElements => Shape.Elements;

    /// <summary>Bytes of one row of a float32 state.</summary>
    public long RowBytes => Shape.Bytes;
}

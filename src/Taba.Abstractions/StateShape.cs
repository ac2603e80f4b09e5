using Orleans;

namespace Taba;

/// <summary>The shape of one sample's state, without the batch dimension: channels, height, width.</summary>
// The alias is older than the name: state that silos stored carries it.
[GenerateSerializer, Immutable, Alias("taba.RowShape")]
public readonly record struct StateShape(int Channels, int Height, int Width)
{
    /// <summary>Elements of one row.</summary>
    public long Elements => (long)Channels * Height * Width;

    /// <summary>Bytes of one row in float32.</summary>
    public long Bytes => Elements * sizeof(float);

    /// <summary>The shape of a batch of <paramref name="rows"/> rows.</summary>
    public long[] Batch(long rows) => [rows, Channels, Height, Width];

    public override string ToString() => $"{Channels}x{Height}x{Width}";
}

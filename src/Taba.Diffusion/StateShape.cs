namespace Taba.Diffusion;

/// <summary>The shape of one sample's state, without the batch dimension: channels, height, width.</summary>
public readonly record struct StateShape(int Channels, int Height, int Width)
{
    /// <summary>Elements of one row.</summary>
    public long Elements => (long)Channels * Height * Width;

    /// <summary>The shape of a batch of <paramref name="rows"/> rows.</summary>
    public long[] Batch(long rows) => [rows, Channels, Height, Width];

    public override string ToString() => $"{Channels}x{Height}x{Width}";
}

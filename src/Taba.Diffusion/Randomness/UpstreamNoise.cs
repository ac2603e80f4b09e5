namespace Taba.Diffusion.Randomness;

/// <summary>
/// Any rows of one torch.randn(N,C,H,W) on the CPU, bit for bit, without ever holding all of it. Forward access costs time
/// proportional to the rows; going back or far ahead costs no more than the distance to a state passed before.
/// </summary>
/// <remarks>
/// From 16 elements on, randn draws the values in blocks of 16, one after the other. When the total is not a multiple of 16, the draws
/// of the last places are thrown away and the last 16 values drawn anew. Below 16 elements it uses another method altogether, and the
/// whole is drawn at once.
/// </remarks>
public sealed class UpstreamNoise : INoiseSource
{
    const int Block = NoiseAddress.Block;

    readonly Lock gate = new();
    readonly NormalStream stream;
    readonly Dtype dtype;
    readonly ulong seed;
    readonly int elementSize;
    readonly long rowElements;
    readonly long? totalRows;

    // The values that depend on the total: [tailStart, total). Drawn once.
    readonly long tailStart;
    byte[]? tail;

    /// <summary>The rows of randn(N,C,H,W).</summary>
    /// <param name="address">
    /// Of the seed only the low 32 bits count, as in PyTorch. The dtype is the one drawn in, not one converted to. N may be missing where
    /// a row is a multiple of 16 elements.
    /// </param>
    /// <exception cref="InvalidOperationException">N is missing although numbers depend on it.</exception>
    public UpstreamNoise(NoiseAddress address)
    {
        dtype = address.Dtype;
        seed = unchecked((ulong)address.Seed);
        elementSize = dtype.Size();
        rowElements = address.Shape.Elements;
        ArgumentOutOfRangeException.ThrowIfLessThan(rowElements, 1, nameof(address));
        RowBytes = checked((int)(rowElements * elementSize));
        totalRows = address.TotalRows;
        if (totalRows is { } rows)
            ArgumentOutOfRangeException.ThrowIfNegative(rows, nameof(address));

        tailStart = address.DependsOnTotal ? Math.Max(0, checked(totalRows!.Value * rowElements) - Block) : long.MaxValue;
        stream = new NormalStream(seed, dtype);
    }

    /// <inheritdoc/>
    public int RowBytes { get; }

    /// <inheritdoc/>
    public void Rows(long start, int count, Span<byte> destination)
    {
        RowRequest.Check(start, count, RowBytes, destination.Length, totalRows);
        if (count == 0)
            return;

        var from = checked(start * rowElements);
        var to = checked(from + (count * rowElements));
        lock (gate)
        {
            var bodyEnd = Math.Clamp(tailStart, from, to);
            var bodyBytes = (int)((bodyEnd - from) * elementSize);
            stream.Read(from, destination[..bodyBytes]);
            if (bodyEnd < to)
            {
                tail ??= DrawTail();
                tail.AsSpan((int)((bodyEnd - tailStart) * elementSize), destination.Length - bodyBytes).CopyTo(destination[bodyBytes..]);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
            stream.Dispose();
    }

    byte[] DrawTail()
    {
        var elements = totalRows!.Value * rowElements;
        return elements < Block ? NormalStream.DrawWhole(seed, dtype, elements) : stream.DrawTail(elements);
    }
}

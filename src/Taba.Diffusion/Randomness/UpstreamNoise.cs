using static TorchSharp.torch;

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
    // The unit in which randn draws.
    const int Block = NormalStream.Block;

    readonly Lock gate = new();
    readonly NormalStream stream;
    readonly ScalarType dtype;
    readonly ulong seed;
    readonly int elementSize;
    readonly long rowElements;
    readonly long? totalRows;

    // The values that depend on the total: [tailStart, total). Drawn once.
    readonly long tailStart;
    byte[]? tail;

    /// <summary>The rows of randn(N,C,H,W).</summary>
    /// <param name="seed">Seed of the generator; only its low 32 bits count, as in PyTorch.</param>
    /// <param name="dtype">float32, float16, bfloat16 or float64: the type drawn in, not one converted to.</param>
    /// <param name="shape">C,H,W.</param>
    /// <param name="totalRows">N; may be null where <see cref="RowsDependOnTotal"/> cannot be true for any N.</param>
    /// <exception cref="ArgumentException">N is missing although numbers depend on it.</exception>
    public UpstreamNoise(long seed, ScalarType dtype, StateShape shape, long? totalRows)
    {
        elementSize = NoiseDtype.Size(dtype);
        rowElements = shape.Elements;
        ArgumentOutOfRangeException.ThrowIfLessThan(rowElements, 1, nameof(shape));
        RowBytes = checked((int)(rowElements * elementSize));
        if (totalRows is null && rowElements % Block != 0)
        {
            throw new ArgumentException(
                $"Noise of rows {shape} depends on the number of rows, because a row is not a multiple of {Block} elements: give the total.", nameof(totalRows));
        }

        if (totalRows is { } rows)
            ArgumentOutOfRangeException.ThrowIfNegative(rows, nameof(totalRows));

        this.dtype = dtype;
        this.seed = unchecked((ulong)seed);
        this.totalRows = totalRows;
        var elements = totalRows is { } total ? checked(total * rowElements) : 0;
        DependsOnTotal = totalRows is not null && RowsDependOnTotal(shape, totalRows.Value);
        tailStart = DependsOnTotal ? Math.Max(0, elements - Block) : long.MaxValue;
        stream = new NormalStream(this.seed, dtype);
    }

    /// <inheritdoc/>
    public int RowBytes { get; }

    /// <summary>True when the last rows would be others with another N: N·C·H·W is below 16 or not a multiple of 16.</summary>
    public bool DependsOnTotal { get; }

    /// <summary>The <see cref="DependsOnTotal"/> of such noise.</summary>
    public static bool RowsDependOnTotal(StateShape shape, long totalRows) => checked(totalRows * shape.Elements) % Block != 0;

    /// <inheritdoc/>
    public void Rows(long start, int count, Span<byte> destination)
    {
        RowRange.Check(start, count, RowBytes, destination.Length, totalRows);
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

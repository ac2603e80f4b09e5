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

    readonly Lock _gate = new();
    readonly NormalStream _stream;
    readonly Dtype _dtype;
    readonly ulong _seed;
    readonly int _elementSize;
    readonly long _rowElements;
    readonly long? _totalRows;

    // The values that depend on the total: [tailStart, total). Drawn once.
    readonly long _tailStart;
    byte[]? _tail;

    /// <summary>The rows of randn(N,C,H,W).</summary>
    /// <param name="address">
    /// Of the seed only the low 32 bits count, as in PyTorch. The dtype is the one drawn in, not one converted to. N may be missing where
    /// a row is a multiple of 16 elements.
    /// </param>
    /// <exception cref="InvalidOperationException">N is missing although numbers depend on it.</exception>
    public UpstreamNoise(NoiseAddress address)
    {
        _dtype = address.Dtype;
        _seed = unchecked((ulong)address.Seed);
        _elementSize = _dtype.Size();
        _rowElements = address.Shape.Elements;
        ArgumentOutOfRangeException.ThrowIfLessThan(_rowElements, 1, nameof(address));
        RowBytes = checked((int)(_rowElements * _elementSize));
        _totalRows = address.TotalRows;
        if (_totalRows is { } rows)
            ArgumentOutOfRangeException.ThrowIfNegative(rows, nameof(address));

        _tailStart = address.DependsOnTotal ? Math.Max(0, checked(_totalRows!.Value * _rowElements) - Block) : long.MaxValue;
        _stream = new NormalStream(_seed, _dtype);
    }

    /// <inheritdoc/>
    public int RowBytes { get; }

    /// <inheritdoc/>
    public void Rows(long start, int count, Span<byte> destination)
    {
        RowRequest.Check(start, count, RowBytes, destination.Length, _totalRows);
        if (count == 0)
            return;

        var from = checked(start * _rowElements);
        var to = checked(from + (count * _rowElements));
        lock (_gate)
        {
            var bodyEnd = Math.Clamp(_tailStart, from, to);
            var bodyBytes = (int)((bodyEnd - from) * _elementSize);
            _stream.Read(from, destination[..bodyBytes]);
            if (bodyEnd < to)
            {
                _tail ??= DrawTail();
                _tail.AsSpan((int)((bodyEnd - _tailStart) * _elementSize), destination.Length - bodyBytes).CopyTo(destination[bodyBytes..]);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
            _stream.Dispose();
    }

    byte[] DrawTail()
    {
        var elements = _totalRows!.Value * _rowElements;
        return elements < Block ? NormalStream.DrawWhole(_seed, _dtype, elements) : _stream.DrawTail(elements);
    }
}

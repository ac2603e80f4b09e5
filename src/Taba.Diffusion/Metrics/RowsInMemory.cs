namespace Taba.Diffusion.Metrics;

/// <summary>Rows that are held: features, which are small beside pictures.</summary>
public sealed class RowsInMemory : IRowAccess
{
    readonly ReadOnlyMemory<float> _values;

    /// <param name="values">Row-major.</param>
    /// <param name="rowLength">Values of a row, 1 or more.</param>
    /// <exception cref="ArgumentException">The values are not whole rows.</exception>
    public RowsInMemory(ReadOnlyMemory<float> values, int rowLength)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rowLength, 1);
        if (values.Length % rowLength != 0)
            throw new ArgumentException($"{values.Length} values are not whole rows of {rowLength}.", nameof(values));
        _values = values;
        RowLength = rowLength;
    }

    /// <inheritdoc/>
    public long Rows => _values.Length / RowLength;

    /// <inheritdoc/>
    public int RowLength { get; }

    /// <inheritdoc/>
    public void Read(long first, Span<float> destination) =>
        _values.Span.Slice(checked((int)(first * RowLength)), destination.Length).CopyTo(destination);
}

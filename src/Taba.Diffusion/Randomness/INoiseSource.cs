namespace Taba.Diffusion.Randomness;

/// <summary>White noise by address: any rows, in any order, always the same bits. Safe for concurrent callers.</summary>
public interface INoiseSource : IDisposable
{
    /// <summary>Bytes of one row.</summary>
    int RowBytes { get; }

    /// <summary>Writes rows [start, start+count), little-endian, in the dtype of the address, [count,C,H,W].</summary>
    /// <param name="start">First row, 0 or more.</param>
    /// <param name="count">Rows, 0 or more.</param>
    /// <param name="destination">Receives count · <see cref="RowBytes"/> bytes; must have exactly that length.</param>
    /// <exception cref="ArgumentException">The range is not one of rows that exist, or the destination has another length.</exception>
    void Rows(long start, int count, Span<byte> destination);
}

namespace Taba.Diffusion.Metrics;

/// <summary>
/// The rows of one tensor, read at any place and as often as one likes: for analyses that compare every row with every other, which
/// no single pass can do.
/// </summary>
public interface IRowAccess
{
    /// <summary>The number of rows.</summary>
    long Rows { get; }

    /// <summary>Values of a row: C·H·W of a picture, or the length of a feature.</summary>
    int RowLength { get; }

    /// <summary>Reads whole rows.</summary>
    /// <param name="first">The first of them.</param>
    /// <param name="destination">As many rows as it holds, row-major.</param>
    void Read(long first, Span<float> destination);
}

using Taba.Diffusion.Models.Features;

namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>Rows of a tensor as pictures of 8 bits; values lie in [-1,1], what lies outside is cut off.</summary>
/// <param name="identity">Names the tensor.</param>
/// <param name="rows">Rows of 3 channels, or of 1, which becomes three equal ones.</param>
/// <param name="shape">C,H,W of a row.</param>
/// <param name="rounded">
/// Whether bytes are rounded to even, as for the diversity of pictures, or cut off, as for what FID is measured of.
/// </param>
/// <exception cref="InvalidDataException">Rows have another number of channels: they are no pictures.</exception>
public sealed class TensorPictures(string identity, IRowAccess rows, StateShape shape, bool rounded) : IPictures
{
    const int Channels = 3;

    readonly bool _isGrey = shape.Channels is 1 or Channels
        ? shape.Channels == 1
        : throw new InvalidDataException($"{identity} has rows of {shape}: pictures have 3 channels, or 1");

    /// <inheritdoc/>
    public string Identity { get; } = $"{identity} {(rounded ? "rounded" : "cut")}";

    /// <inheritdoc/>
    public long Count => rows.Rows;

    /// <inheritdoc/>
    public IReadOnlyList<Picture> Read(long first, int count)
    {
        var plane = shape.Height * shape.Width;
        var values = new float[checked(count * rows.RowLength)];
        rows.Read(first, values);
        if (values.AsSpan().ContainsAnyExceptInRange(float.MinValue, float.MaxValue))
            throw new InvalidDataException($"{identity} holds NaN or infinite values among its rows {first} to {first + count - 1}");
        return
        [
            .. Enumerable.Range(0, count).Select(i => values.AsMemory(i * rows.RowLength, rows.RowLength)).Select(row => new Picture(
                PictureInput.Bytes(Colour(row.Span, plane), shape.Height, shape.Width, rounded), shape.Height, shape.Width)),
        ];
    }

    ReadOnlySpan<float> Colour(ReadOnlySpan<float> row, int plane)
    {
        if (!_isGrey)
            return row;
        var colour = new float[Channels * plane];
        for (var channel = 0; channel < Channels; channel++)
            row.CopyTo(colour.AsSpan(channel * plane));
        return colour;
    }
}

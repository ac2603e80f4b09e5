namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>A picture of 8 bits a channel.</summary>
/// <param name="Pixels">[height,width,3].</param>
/// <param name="Height">Rows of pixels.</param>
/// <param name="Width">Columns of pixels.</param>
public readonly record struct Picture(byte[] Pixels, int Height, int Width);

/// <summary>Pictures in a fixed order, read as often as one likes. Safe for one reader at a time.</summary>
public interface IPictures
{
    /// <summary>Names the pictures: features of them are remembered under it.</summary>
    string Identity { get; }

    /// <summary>How many there are.</summary>
    long Count { get; }

    /// <summary>Reads some of them.</summary>
    /// <exception cref="InvalidDataException">A file is damaged, or of another kind.</exception>
    IReadOnlyList<Picture> Read(long first, int count);
}

using Taba.Diffusion.Tensors;

namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>PNG and JPEG files of a folder as they are, in natural order of their names; they may be of different sizes.</summary>
public sealed class PictureFiles : IPictures
{
    readonly ImageFolder _folder;

    PictureFiles(string path, ImageFolder folder) => (Identity, _folder) = (path, folder);

    /// <inheritdoc/>
    public string Identity { get; }

    /// <inheritdoc/>
    public long Count => _folder.Count;

    /// <summary>Lists the files; none is opened.</summary>
    /// <exception cref="InvalidDataException">The folder holds no pictures, or something else beside them.</exception>
    /// <exception cref="IOException">The folder is absent or cannot be read.</exception>
    public static PictureFiles Open(string folder) =>
        // The size is that of rows, which are not asked for.
        new(Path.GetFullPath(folder), ImageFolder.Open(folder, 1, 1));

    /// <inheritdoc/>
    public IReadOnlyList<Picture> Read(long first, int count)
    {
        var read = new Picture[count];
        Parallel.For(0, count, i =>
        {
            var (pixels, height, width) = _folder.ReadPicture((int)first + i);
            read[i] = new(pixels, height, width);
        });
        return read;
    }
}

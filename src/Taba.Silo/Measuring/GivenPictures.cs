using System.Runtime.InteropServices;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Pictures;
using Taba.Diffusion.Tensors;
using Taba.Silo.Rows;

namespace Taba.Silo.Measuring;

/// <summary>The pictures that samples are compared with: as their files have them, or rows of a tensor.</summary>
sealed class GivenPictures : IPictures, IDisposable
{
    readonly IPictures _pictures;
    readonly IDisposable? _file;

    GivenPictures(IPictures pictures, IDisposable? file) => (_pictures, _file) = (pictures, file);

    public string Identity => _pictures.Identity;

    public long Count => _pictures.Count;

    /// <summary>Opens them; of pictures only their names are read.</summary>
    /// <param name="rows">Where they are.</param>
    /// <param name="shape">Of a tensor's row.</param>
    /// <exception cref="InvalidDataException">There are no pictures, or not as many as there were.</exception>
    public static GivenPictures Open(RowsRef rows, StateShape shape)
    {
        switch (rows)
        {
            case ImageRows folder:
                var files = PictureFiles.Open(folder.Path);
                return files.Count == folder.TotalRows ? new(files, null) : throw new InvalidDataException(
                    $"{folder.Path} has {files.Count} pictures; when the sweep was planned, there were {folder.TotalRows}.");
            case FileRows given:
                var file = TensorFile.Open(given.Path);
                try
                {
                    var tensor = new FileAccess(file, given, shape);
                    return new(new TensorPictures(given.Path, tensor, shape, rounded: false), file);
                }
                catch
                {
                    file.Dispose();
                    throw;
                }
            default:
                throw new InvalidOperationException($"Pictures cannot come from {rows}.");
        }
    }

    public IReadOnlyList<Picture> Read(long first, int count) => _pictures.Read(first, count);

    public void Dispose() => _file?.Dispose();

    sealed class FileAccess(TensorFile file, FileRows given, StateShape shape) : IRowAccess
    {
        readonly TensorReader _tensor = file.Single(Path.GetFileNameWithoutExtension(given.Path));

        public long Rows => given.TotalRows;

        public int RowLength => checked((int)shape.Elements);

        public void Read(long first, Span<float> destination) => StateFile.ReadRows(
            _tensor, new((int)first, (int)first + (destination.Length / RowLength)), MemoryMarshal.AsBytes(destination));
    }
}

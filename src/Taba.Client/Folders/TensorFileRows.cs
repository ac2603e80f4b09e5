using Taba.Diffusion.Metrics;
using Taba.Diffusion.Tensors;

namespace Taba.Client.Folders;

/// <summary>A [N,C,H,W] tensor file, read by rows, whatever its format and floating-point type.</summary>
sealed class TensorFileRows : IMetricRows, IDisposable
{
    readonly TensorFile _file;
    readonly TensorReader _reader;

    TensorFileRows(string path, TensorFile file, TensorReader reader)
    {
        (Identity, _file, _reader) = (path, file, reader);
        Shape = new((int)reader.Shape[1], (int)reader.Shape[2], (int)reader.Shape[3]);
    }

    public string Identity { get; }

    public StateShape Shape { get; }

    /// <summary>N.</summary>
    public long Rows => _reader.Rows;

    public int RowLength => (int)Shape.Elements;

    /// <returns>Null when the folder has no such tensor, or one of another rank or without values.</returns>
    /// <exception cref="Taba.Diffusion.Weights.WeightsFormatException">The file is damaged or hostile.</exception>
    public static TensorFileRows? Open(string folder, string name)
    {
        return TensorFiles.Find(folder, name) is { } path ? OpenFile(path) : null;
    }

    /// <returns>Null when the file holds a tensor of another rank.</returns>
    /// <exception cref="Taba.Diffusion.Weights.WeightsFormatException">The file is damaged or hostile.</exception>
    public static TensorFileRows? OpenFile(string path)
    {
        var file = TensorFile.Open(path);
        try
        {
            var reader = file.Single(Path.GetFileNameWithoutExtension(path));
            if (reader.Shape.Count == 4 && reader.Shape.Skip(1).All(size => size is > 0 and <= int.MaxValue))
                return new(path, file, reader);
        }
        catch
        {
            file.Dispose();
            throw;
        }
        file.Dispose();
        return null;
    }

    public void Read(long first, Span<float> destination) =>
        FloatReader.Rows(_reader, first, destination.Length / RowLength).CopyTo(destination);

    public void Dispose() => _file.Dispose();
}

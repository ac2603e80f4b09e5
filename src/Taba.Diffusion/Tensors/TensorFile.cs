using Taba.Diffusion.Weights;

namespace Taba.Diffusion.Tensors;

/// <summary>
/// Tensors in a file of any format that is read here (safetensors, torch.save's zip and legacy formats, .npy), told apart by
/// content. Opening reads names and shapes only; rows are read when asked for, and the file is never held in memory.
/// </summary>
public sealed class TensorFile : IDisposable
{
    readonly SourceFile _file;
    readonly Dictionary<string, TensorReader> _readers;

    TensorFile(SourceFile file, IReadOnlyList<StoredTensor> tensors)
    {
        _file = file;
        _readers = tensors.ToDictionary(tensor => tensor.Name, tensor => new TensorReader(file, tensor), StringComparer.Ordinal);
        Names = [.. tensors.Select(tensor => tensor.Name)];
    }

    /// <summary>
    /// The tensors' names, in the file's order. A tensor saved without a name is called after its file: samples.pt holds samples.
    /// </summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Opens a file and checks its structure.</summary>
    /// <exception cref="WeightsFormatException">The file is damaged, hostile or of another kind.</exception>
    /// <exception cref="IOException">The file is absent or cannot be opened.</exception>
    public static TensorFile Open(string path) => Open(SourceFile.Open(path));

    /// <summary>Opens a file that does not lie on this machine. The elements of its tensors must lie in the order of their rows.</summary>
    /// <param name="path">The file's name: for messages, and for a tensor without one.</param>
    /// <param name="length">Bytes of the file.</param>
    /// <param name="read">Reads from it for as long as this is open; its failures pass through.</param>
    /// <exception cref="WeightsFormatException">The file is damaged, hostile or of another kind.</exception>
    public static TensorFile Open(string path, long length, ReadAt read) => Open(new SourceFile(path, length, read));

    static TensorFile Open(SourceFile file)
    {
        try
        {
            return new TensorFile(file, TensorLayouts.Read(file));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>One tensor by name.</summary>
    /// <exception cref="WeightsFormatException">The file holds no tensor of that name; the message lists those it holds.</exception>
    public TensorReader Tensor(string name) => _readers.TryGetValue(name, out var reader)
        ? reader
        : throw _file.Fault($"it holds no tensor '{name}'; it holds {DescribeNames()}.");

    /// <summary>The only tensor of the file, whatever its name, or the one called <paramref name="preferred"/> among several.</summary>
    /// <exception cref="WeightsFormatException">The file holds several tensors and none of that name, or none at all.</exception>
    public TensorReader Single(string preferred) => _readers.Count == 1 ? _readers[Names[0]] : Tensor(preferred);

    /// <summary>Closes the file and its readers.</summary>
    public void Dispose()
    {
        foreach (var reader in _readers.Values)
            reader.Close();
        _file.Dispose();
    }

    string DescribeNames()
    {
        const int Listed = 10;
        if (Names.Count == 0)
            return "none";
        return string.Join(", ", Names.Take(Listed)) + (Names.Count > Listed ? $" and {Names.Count - Listed} more" : "");
    }
}

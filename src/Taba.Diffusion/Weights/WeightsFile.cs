using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Taba.Diffusion.Weights;

/// <summary>A tensor of a checkpoint, before it is loaded.</summary>
/// <param name="Name">As the checkpoint spells it; a tensor saved alone is called after its file.</param>
/// <param name="Dtype">The stored element type.</param>
/// <param name="Shape">Lengths of the axes; empty for a scalar.</param>
public sealed record WeightInfo(string Name, ScalarType Dtype, long[] Shape);

/// <summary>
/// A checkpoint in one file: safetensors, torch.save's zip or legacy format, or .npy, told apart by content. Opening reads
/// only names and shapes; each tensor is converted through a mapping whose pages are given back, so that loading takes the
/// memory of the tensors wanted and little more.
/// </summary>
public sealed unsafe class WeightsFile : IWeightSource, IDisposable
{
    /// <summary>Elements converted at a time: large enough to be fast, small beside any model.</summary>
    const int ChunkElements = 1 << 20;

    readonly SourceFile _file;
    readonly Dictionary<string, StoredTensor> _tensors;
    MappedFile? _map;

    WeightsFile(SourceFile file, IReadOnlyList<StoredTensor> tensors)
    {
        _file = file;
        _tensors = tensors.ToDictionary(tensor => tensor.Name, StringComparer.Ordinal);
        Tensors = [.. tensors.Select(tensor => new WeightInfo(tensor.Name, tensor.Type, tensor.Shape))];
    }

    /// <inheritdoc/>
    public string Description => _file.Path;

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>All tensors in the file's order.</summary>
    public IReadOnlyList<WeightInfo> Tensors { get; }

    /// <summary>Opens a checkpoint and checks its structure.</summary>
    /// <exception cref="WeightsFormatException">The file is damaged, hostile or of another kind.</exception>
    /// <exception cref="IOException">The file is absent or cannot be opened.</exception>
    public static WeightsFile Open(string path)
    {
        var file = SourceFile.Open(path);
        try
        {
            return new WeightsFile(file, WrapperNames.LeaveOut(TensorLayouts.Read(file)));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public bool TryGetShape(string name, [NotNullWhen(true)] out long[]? shape)
    {
        shape = _tensors.TryGetValue(name, out var tensor) ? tensor.Shape : null;
        return shape is not null;
    }

    /// <inheritdoc/>
    public Tensor Load(string name, ScalarType dtype, Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        if (!_tensors.TryGetValue(name, out var tensor))
            throw new KeyNotFoundException($"{_file.Path} holds no tensor '{name}'.");

        using var scope = NewDisposeScope();
        var result = empty(tensor.Shape, dtype: dtype, device: device);
        if (tensor.Elements > 0)
            Fill(result.view(-1), tensor);
        return result.MoveToOuterDisposeScope();
    }

    void Fill(Tensor target, StoredTensor tensor)
    {
        var direct = target.dtype == tensor.Type && target.device_type == TorchSharp.DeviceType.CPU;
        var staging = direct ? null : empty([Math.Min(ChunkElements, tensor.Elements)], dtype: tensor.Type);
        for (var start = 0L; start < tensor.Elements; start += ChunkElements)
        {
            using var scope = NewDisposeScope();
            var count = Math.Min(ChunkElements, tensor.Elements - start);
            var part = target.narrow(0, start, count);
            var stored = staging?.narrow(0, 0, count) ?? part;
            CopyOut(tensor, start, stored.bytes);
            if (!direct)
                part.copy_(stored);
        }

        if (!tensor.IsContiguous)
            _map!.DropPages(tensor.Offset, tensor.EndOffset() - tensor.Offset);
    }

    void CopyOut(StoredTensor tensor, long start, Span<byte> destination)
    {
        _map ??= new MappedFile(_file);
        var itemSize = ElementTypes.Size(tensor.Type);
        if (!tensor.IsContiguous)
        {
            StridedCopy.Gather(_map.At(tensor.Offset), tensor.Shape, tensor.Strides, itemSize, start, destination);
            return;
        }

        var offset = tensor.Offset + start * itemSize;
        new ReadOnlySpan<byte>(_map.At(offset), destination.Length).CopyTo(destination);
        _map.DropPages(offset, destination.Length);
    }

    /// <summary>Closes the file. Loaded tensors are copies and stay.</summary>
    public void Dispose()
    {
        _map?.Dispose();
        _file.Dispose();
    }
}

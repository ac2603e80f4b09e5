using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tensors;

/// <summary>
/// One tensor of an open <see cref="TensorFile"/>, read row by row. Rows are contiguous and little-endian, of
/// <see cref="Dtype"/>, whatever the order in the file. Safe for several threads.
/// </summary>
public sealed unsafe class TensorReader
{
    readonly SourceFile _file;
    readonly StoredTensor _tensor;
    readonly Lock _mapping = new();
    MappedFile? _map;

    internal TensorReader(SourceFile file, StoredTensor tensor)
    {
        _file = file;
        _tensor = tensor;
        ElementBytes = ElementTypes.Size(tensor.Type);
        Rows = tensor.Shape.Length == 0 ? 1 : tensor.Shape[0];
        RowBytes = Rows == 0 ? 0 : tensor.ByteCount / Rows;
    }

    public string Name => _tensor.Name;

    public ScalarType Dtype => _tensor.Type;

    /// <summary>Lengths of the axes; empty for a scalar.</summary>
    public IReadOnlyList<long> Shape => _tensor.Shape;

    /// <summary>Bytes of one element.</summary>
    public int ElementBytes { get; }

    /// <summary>The length of the first axis; 1 for a scalar.</summary>
    public long Rows { get; }

    /// <summary>Bytes of one row of the first axis.</summary>
    public long RowBytes { get; }

    /// <summary>Bytes of the whole tensor.</summary>
    public long ByteCount => _tensor.ByteCount;

    /// <summary>Reads rows of the first axis.</summary>
    /// <param name="start">The first row, 0 .. <see cref="Rows"/>.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="destination">Exactly <paramref name="count"/> · <see cref="RowBytes"/> bytes.</param>
    public void ReadRows(long start, long count, Span<byte> destination)
    {
        RequireRange(start, count, Rows, "rows");
        ReadBytes(start * RowBytes, count * RowBytes, destination);
    }

    /// <summary>Reads rows of the second axis at one index of the first: of [T,N,...], samples of step <paramref name="index"/>.</summary>
    /// <param name="index">The index of the first axis.</param>
    /// <param name="start">The first row of the second axis.</param>
    /// <param name="count">How many rows.</param>
    /// <param name="destination">Exactly <paramref name="count"/> rows of the second axis, in bytes.</param>
    public void ReadSlice(long index, long start, long count, Span<byte> destination)
    {
        if (_tensor.Shape.Length < 2)
            throw new ArgumentException($"Tensor '{Name}' has {_tensor.Shape.Length} axes; slices need two.", nameof(index));

        RequireRange(index, 1, Rows, "indices");
        RequireRange(start, count, _tensor.Shape[1], "rows");
        var innerBytes = _tensor.Shape[1] == 0 ? 0 : RowBytes / _tensor.Shape[1];
        ReadBytes(index * RowBytes + start * innerBytes, count * innerBytes, destination);
    }

    /// <summary>Reads bytes of the tensor in row-major order, at whole elements.</summary>
    void ReadBytes(long position, long count, Span<byte> destination)
    {
        if (destination.Length != count)
            throw new ArgumentException(
                $"The rows take {count} bytes but {destination.Length} were given to read them into.", nameof(destination));
        if (count == 0)
            return;

        if (_tensor.IsContiguous)
            _file.ReadExactly(_tensor.Offset + position, destination, $"tensor '{Name}'");
        else
            StridedCopy.Gather(
                Map().At(_tensor.Offset), _tensor.Shape, _tensor.Strides, ElementBytes, position / ElementBytes, destination);
    }

    MappedFile Map()
    {
        lock (_mapping)
        {
            ObjectDisposedException.ThrowIf(_file.Handle.IsClosed, this);
            return _map ??= new MappedFile(_file);
        }
    }

    internal void Close()
    {
        lock (_mapping)
        {
            _map?.Dispose();
            _map = null;
        }
    }

    void RequireRange(long start, long count, long length, string what)
    {
        if (start < 0 || count < 0 || start > length - count)
            throw new ArgumentOutOfRangeException(
                nameof(start), start,
                $"Tensor '{Name}' of shape [{string.Join(",", Shape)}] has {length} {what}; {count} from {start} on were asked for.");
    }
}

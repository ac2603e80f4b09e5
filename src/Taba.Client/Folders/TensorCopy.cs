using Taba.Diffusion.Tensors;

namespace Taba.Client.Folders;

/// <summary>Copies tensors in pieces, so that memory does not follow their size.</summary>
static class TensorCopy
{
    const long ChunkBytes = 4 << 20;

    /// <summary>Appends a whole tensor.</summary>
    public static void Append(TensorReader source, TensorFileWriter target, CancellationToken cancellationToken)
    {
        if (source.RowBytes > ChunkBytes && source.Shape.Count > 1)
        {
            for (long index = 0; index < source.Rows; index++)
                AppendSlice(source, index, target, cancellationToken);
            return;
        }
        Each(source.Rows, source.RowBytes, (start, count, buffer) => source.ReadRows(start, count, buffer), target, cancellationToken);
    }

    /// <summary>Appends one index of the first axis: of [T,N,...], all rows of a step.</summary>
    public static void AppendSlice(TensorReader source, long index, TensorFileWriter target, CancellationToken cancellationToken)
    {
        var rows = source.Shape[1];
        var rowBytes = rows == 0 ? 0 : source.RowBytes / rows;
        Each(rows, rowBytes, (start, count, buffer) => source.ReadSlice(index, start, count, buffer), target, cancellationToken);
    }

    static void Each(long rows, long rowBytes, ReadRows read, TensorFileWriter target, CancellationToken cancellationToken)
    {
        if (rows == 0 || rowBytes == 0)
            return;
        var step = Math.Clamp(ChunkBytes / rowBytes, 1, rows);
        var buffer = new byte[checked(step * rowBytes)];
        for (long start = 0; start < rows; start += step)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var count = Math.Min(step, rows - start);
            var bytes = buffer.AsSpan(0, (int)(count * rowBytes));
            read(start, count, bytes);
            target.Write(bytes);
        }
    }

    delegate void ReadRows(long start, long count, Span<byte> destination);
}

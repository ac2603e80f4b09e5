using Taba.Storage.RunFolders;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Taba.Diffusion.Tensors;
using Taba.Grains.Sweeps;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Outputs;

/// <summary>
/// Makes one tensor file of a run from its parts: streamed in the file's order, and there when it is whole. Memory
/// does not follow the number of rows. A file that is exactly one published object on the same disk is linked, not copied.
/// </summary>
sealed class TensorAssembler(TensorStore store)
{
    const int ChunkBytes = 1 << 20;

    /// <summary>Writes the file.</summary>
    /// <param name="rowShape">[C,H,W], or empty for one value a row.</param>
    /// <param name="linkable">The one part that is the whole tensor, or null.</param>
    public RunFile Write(
        OutputFolder folder, RunTensor tensor, RunRows rows, RowRange range, ImmutableArray<long> rowShape, TensorFormat format,
        (PartManifest Manifest, ObjectEntry Entry)? linkable, CancellationToken cancellationToken)
    {
        ImmutableArray<long> shape = tensor.Steps.IsEmpty ? [range.Count, .. rowShape] : [tensor.Steps.Length, range.Count, .. rowShape];
        var fileName = tensor.Name + format.Extension();
        if (linkable is var (manifest, entry) && format == TensorFormat.Safetensors
            && store.LocalPath(entry.Path) is { } source && folder.LocalPath(fileName) is { } link)
        {
            rows.Check(manifest, entry);
            if (HardLink.TryCreate(source, link))
                return new(tensor.Name, fileName, rows.DtypeName, shape, new FileInfo(link).Length, tensor.Steps);
        }

        var path = $"{folder.Place}/{fileName}";
        using var writer = StoreErrors.Guard(
            path, () => TensorFileWriter.Create(
                path, bytes => new FolderSink(folder.Create(fileName, bytes)), format, tensor.Name, rows.Dtype, shape));
        var rowBytes = checked((int)(writer.ByteCount / range.Count / Math.Max(1, tensor.Steps.Length)));
        var chunkRows = Math.Clamp(ChunkBytes / rowBytes, 1, range.Count);
        var buffer = new byte[chunkRows * rowBytes];
        var present = rows.Rows;
        foreach (var step in tensor.Steps.IsEmpty ? [0] : tensor.Steps)
        {
            for (var row = range.Start; row < range.End; row += chunkRows)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var chunk = new RowRange(row, Math.Min(range.End, row + chunkRows));
                var bytes = buffer.AsSpan(0, chunk.Count * rowBytes);
                Fill(rows, step, chunk, present, rowBytes, bytes);
                StoreErrors.Guard(path, writer, bytes, static (w, b) => w.Write(b));
            }
        }
        StoreErrors.Guard(path, () =>
        {
            writer.Complete();
            return 0;
        });
        return new(tensor.Name, fileName, rows.DtypeName, shape, writer.FileBytes, tensor.Steps);
    }

    /// <summary>Rows that failed hold NaN: a hole in the numbers must not look like numbers.</summary>
    static void Fill(RunRows rows, int step, RowRange chunk, RowSet present, int rowBytes, Span<byte> bytes)
    {
        if (present.Contains(chunk))
        {
            rows.Read(step, chunk, bytes);
            return;
        }
        MemoryMarshal.Cast<byte, float>(bytes).Fill(float.NaN);
        foreach (var piece in present.Intersect(chunk).Ranges)
            rows.Read(step, piece, bytes.Slice((piece.Start - chunk.Start) * rowBytes, piece.Count * rowBytes));
    }
}

namespace Taba.Diffusion.Metrics;

/// <summary>Rows in chunks, for what goes over them once.</summary>
public static class MetricRowChunks
{
    /// <summary>All rows in order, float32 [n,C,H,W] at a time; a chunk holds until the next one is asked for.</summary>
    public static IEnumerable<ReadOnlyMemory<float>> Chunks(this IMetricRows rows, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return rows.Chunks(0, rows.Rows, cancellationToken);
    }

    /// <summary>Some rows in order, as far as there are so many; a chunk holds until the next one is asked for.</summary>
    public static IEnumerable<ReadOnlyMemory<float>> Chunks(
        this IMetricRows rows, long first, long count, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(rows);
        return Together([rows], first, Math.Min(count, rows.Rows - first), cancellationToken).Select(chunk => chunk[0]);
    }

    /// <summary>The same rows of several tensors, in order; they may be of different shapes.</summary>
    /// <param name="tensors">Tensors of as many rows each.</param>
    /// <param name="first">The first row.</param>
    /// <param name="count">The number of rows.</param>
    /// <param name="cancellationToken">Asked before each chunk.</param>
    public static IEnumerable<ReadOnlyMemory<float>[]> Together(
        this IReadOnlyList<IMetricRows> tensors, long first, long count, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var atOnce = (int)Math.Min(tensors.Min(tensor => IMetricRows.RowsAtOnce(tensor.Shape)), Math.Max(1, count));
        var buffers = tensors.Select(tensor => new float[checked(atOnce * tensor.Shape.Elements)]).ToList();
        for (var row = first; row < first + count; row += atOnce)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var rows = (int)Math.Min(atOnce, first + count - row);
            yield return [.. tensors.Select((tensor, i) =>
            {
                var values = buffers[i].AsMemory(0, checked((int)(rows * tensor.Shape.Elements)));
                tensor.Read(row, values.Span);
                return (ReadOnlyMemory<float>)values;
            })];
        }
    }
}

namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>Some values of each feature: what Inception gives is features and logits, side by side.</summary>
sealed class FeatureColumns(IRowAccess rows, int from, int count) : IRowAccess
{
    const int RowsAtOnce = 256;

    float[] _whole = [];

    public long Rows => rows.Rows;

    public int RowLength => count;

    public void Read(long first, Span<float> destination)
    {
        var wanted = destination.Length / count;
        if (_whole.Length == 0)
            _whole = new float[RowsAtOnce * rows.RowLength];
        for (var done = 0; done < wanted; done += RowsAtOnce)
        {
            var some = Math.Min(RowsAtOnce, wanted - done);
            rows.Read(first + done, _whole.AsSpan(0, some * rows.RowLength));
            for (var i = 0; i < some; i++)
                _whole.AsSpan((i * rows.RowLength) + from, count).CopyTo(destination[((done + i) * count)..]);
        }
    }

    /// <summary>All rows in order, some at a time; a chunk holds until the next one is asked for.</summary>
    public IEnumerable<ReadOnlyMemory<float>> Chunks()
    {
        var chunk = new float[RowsAtOnce * count];
        for (long first = 0; first < Rows; first += RowsAtOnce)
        {
            var part = chunk.AsMemory(0, (int)Math.Min(RowsAtOnce, Rows - first) * count);
            Read(first, part.Span);
            yield return part;
        }
    }
}

using Taba.Silo.Rows;

namespace Taba.Silo.Parts;

/// <summary>
/// The results of the last few parts that this silo published, so that the stages that depend on them begin without reading the
/// store. Only a shortcut.
/// </summary>
sealed class RecentResults(RowBuffers buffers)
{
    const int MaxParts = 4;

    readonly Lock _lock = new();
    readonly LinkedList<(string StageKey, RowRange Rows, byte[] Bytes)> _parts = new();

    /// <summary>Takes over the array.</summary>
    public void Add(string stageKey, RowRange rows, byte[] bytes)
    {
        lock (_lock)
        {
            _parts.AddFirst((stageKey, rows, bytes));
            while (_parts.Last is { } oldest && _parts.Count > MaxParts)
            {
                _parts.RemoveLast();
                buffers.Return(oldest.Value.Bytes);
            }
        }
    }

    public bool TryRead(string stageKey, RowRange rows, Span<byte> destination)
    {
        lock (_lock)
        {
            foreach (var part in _parts)
            {
                if (part.StageKey != stageKey || !part.Rows.Contains(rows))
                    continue;
                var rowBytes = part.Bytes.Length / part.Rows.Count;
                part.Bytes.AsSpan((rows.Start - part.Rows.Start) * rowBytes, rows.Count * rowBytes).CopyTo(destination);
                return true;
            }
        }
        return false;
    }
}

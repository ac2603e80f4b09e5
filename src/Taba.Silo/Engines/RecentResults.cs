using Taba.Grains.Stages;

namespace Taba.Silo.Engines;

/// <summary>
/// The results of the last parts that this silo published, so that the stages that depend on them begin without reading the
/// store. Bounded; only a shortcut.
/// </summary>
sealed class RecentResults
{
    const long MaxBytes = 64L << 20;

    readonly Lock _lock = new();
    readonly LinkedList<(string StageKey, RowRange Rows, byte[] Bytes)> _parts = new();
    long _bytes;

    public void Add(string stageKey, RowRange rows, byte[] bytes)
    {
        lock (_lock)
        {
            _parts.AddFirst((stageKey, rows, bytes));
            _bytes += bytes.Length;
            while (_bytes > MaxBytes && _parts.Last is { } oldest)
            {
                _bytes -= oldest.Value.Bytes.Length;
                _parts.RemoveLast();
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

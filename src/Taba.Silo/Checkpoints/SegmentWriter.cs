namespace Taba.Silo.Checkpoints;

/// <summary>Appends records to the newest segment. Used by one thread.</summary>
sealed class SegmentWriter(ISegmentArea area, long segmentBytes, TimeProvider time, long afterTicks) : IDisposable
{
    ISegmentAppender? _appender;
    int _files;

    /// <summary>The segment that grows; null when the next record begins one.</summary>
    public SegmentFile? Current { get; private set; }

    /// <summary>The place of the current segment's next record.</summary>
    public SegmentPosition? Position => Current is null ? null : new(Current.Name, _appender!.Length);

    /// <summary>True when the segment has grown enough.</summary>
    public bool IsFull => _appender is { } appender && (appender.Length >= segmentBytes || appender.IsFull);

    /// <summary>Begins a segment. Never appends to one of an earlier process: its tail may be torn.</summary>
    public SegmentFile Begin()
    {
        // They are read back in the order of their names, also after a clock was set back.
        var ticks = Math.Max(time.GetUtcNow().UtcTicks, afterTicks + 1);
        var name = $"{ticks:D19}-{_files++:D4}.seg";
        _appender = area.Begin(name);
        Current = new(area, name) { Growing = true };
        _appender.Append([SegmentFormat.FileHeader()]);
        return Current;
    }

    /// <summary>Appends a record; durable after <see cref="Flush"/>.</summary>
    public (long Offset, int Size) Append(List<ReadOnlyMemory<byte>> buffers)
    {
        var offset = _appender!.Length;
        _appender.Append(buffers);
        return (offset, checked((int)(_appender.Length - offset)));
    }

    public void Flush() => _appender?.Flush();

    /// <summary>Closes the segment; the next record begins another.</summary>
    public SegmentFile? End()
    {
        var ended = Current;
        Dispose();
        return ended;
    }

    public void Dispose()
    {
        _appender?.Dispose();
        _appender = null;
        Current = null;
    }
}

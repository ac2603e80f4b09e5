using Microsoft.Win32.SafeHandles;
using Taba.Silo.Storage;

namespace Taba.Silo.Checkpoints;

/// <summary>Appends records to the newest segment file. Used by one thread.</summary>
sealed class SegmentWriter(string folder, long segmentBytes, TimeProvider time, long afterTicks) : IDisposable
{
    SafeFileHandle? _handle;
    long _length;
    int _files;

    /// <summary>The file that grows; null when the next record begins one.</summary>
    public SegmentFile? Current { get; private set; }

    /// <summary>Where the next record of the current file goes.</summary>
    public SegmentPosition? Position => Current is null ? null : new(Current.Name, _length);

    /// <summary>Whether the file has grown enough.</summary>
    public bool IsFull => _length >= segmentBytes;

    /// <summary>Begins a file. Never appends to one of an earlier process: its tail may be torn.</summary>
    public SegmentFile Begin()
    {
        // Files are read back in the order of their names, also after a clock was set back.
        var ticks = Math.Max(time.GetUtcNow().UtcTicks, afterTicks + 1);
        var path = Path.Combine(folder, $"{ticks:D19}-{_files++:D4}.seg");
        _handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read | FileShare.Delete);
        RandomAccess.Write(_handle, SegmentFormat.FileHeader(), 0);
        _length = SegmentFormat.FileHeaderBytes;
        Posix.FlushDirectory(folder);
        return Current = new(path) { Growing = true };
    }

    /// <summary>Appends a record; durable after <see cref="Flush"/>.</summary>
    public (long Offset, int Size) Append(List<ReadOnlyMemory<byte>> buffers)
    {
        var offset = _length;
        RandomAccess.Write(_handle!, buffers, offset);
        _length += buffers.Sum(b => (long)b.Length);
        return (offset, checked((int)(_length - offset)));
    }

    public void Flush()
    {
        if (_handle is not null)
            RandomAccess.FlushToDisk(_handle);
    }

    /// <summary>Closes the file; the next record begins another.</summary>
    public SegmentFile? End()
    {
        var ended = Current;
        Dispose();
        Current = null;
        return ended;
    }

    public void Dispose()
    {
        _handle?.Dispose();
        _handle = null;
        _length = 0;
    }
}

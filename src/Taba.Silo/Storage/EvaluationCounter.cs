using System.IO.MemoryMappedFiles;

namespace Taba.Silo.Storage;

/// <summary>
/// Counts network evaluations over the life of a store, in the file <c>evaluations</c>: one little-endian 64-bit number.
/// The file is mapped, so an addition costs an atomic instruction and survives <c>kill -9</c> (the page belongs to the
/// operating system); a power failure may lose the last seconds.
/// </summary>
public sealed unsafe class EvaluationCounter : IDisposable
{
    readonly MemoryMappedFile _file;
    readonly MemoryMappedViewAccessor _view;
    readonly long* _total;
    bool _disposed;

    /// <param name="root">The store's folder.</param>
    /// <exception cref="StoreException">The file cannot be created.</exception>
    public EvaluationCounter(string root)
    {
        var path = Path.Combine(Path.GetFullPath(root), "evaluations");
        try
        {
            Directory.CreateDirectory(root);
            using var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
            if (stream.Length < sizeof(long))
            {
                // Written, not extended: touching a mapped hole on a full disk would kill the process.
                stream.Position = stream.Length;
                stream.Write(new byte[sizeof(long) - stream.Length]);
                stream.Flush(flushToDisk: true);
            }
            _file = MemoryMappedFile.CreateFromFile(
                stream, null, sizeof(long), MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: true);
            _view = _file.CreateViewAccessor(0, sizeof(long));
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            _file?.Dispose();
            throw DiskErrors.Wrap(exception, "open", path);
        }
        byte* start = null;
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        _total = (long*)(start + _view.PointerOffset);
    }

    /// <summary>Evaluations so far, by every process that ever counted here.</summary>
    public long Total
    {
        get
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            return Volatile.Read(ref *_total);
        }
    }

    /// <summary>Adds evaluations; any thread.</summary>
    public void Add(long evaluations)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        Interlocked.Add(ref *_total, evaluations);
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}

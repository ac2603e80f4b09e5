using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace Taba.Storage.Objects;

/// <summary>
/// Counts network evaluations over the life of a store, in the file <c>evaluations</c>: one little-endian 64-bit number.
/// It is written in place with each addition, so it survives <c>kill -9</c> (the page belongs to the operating system); a
/// power failure may lose the last seconds. Written and not mapped: where a mapped page cannot be stored, on a full disk
/// that copies what it changes, touching it would end the process by a signal.
/// </summary>
public sealed class EvaluationCounter : IDisposable
{
    readonly Lock _gate = new();
    readonly SafeFileHandle _handle;
    readonly string _path;
    long _total;

    /// <param name="root">The store's folder.</param>
    /// <exception cref="StoreException">The file cannot be created.</exception>
    public EvaluationCounter(string root)
    {
        _path = Path.Combine(Path.GetFullPath(root), "evaluations");
        try
        {
            Directory.CreateDirectory(root);
            _handle = File.OpenHandle(_path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
            var stored = new byte[sizeof(long)];
            if (RandomAccess.Read(_handle, stored, 0) < stored.Length)
            {
                // Made whole now, so that later additions need no room.
                RandomAccess.Write(_handle, stored, 0);
                RandomAccess.FlushToDisk(_handle);
            }
            _total = BinaryPrimitives.ReadInt64LittleEndian(stored);
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            _handle?.Dispose();
            throw DiskErrors.Wrap(exception, "open", _path);
        }
    }

    /// <summary>Evaluations so far, by every process that counted here before, and by this one.</summary>
    public long Total
    {
        get
        {
            ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
            return Volatile.Read(ref _total);
        }
    }

    /// <summary>Adds evaluations; any thread.</summary>
    /// <exception cref="StoreException">The disk failed.</exception>
    public void Add(long evaluations)
    {
        ObjectDisposedException.ThrowIf(_handle.IsClosed, this);
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        lock (_gate)
        {
            _total += evaluations;
            BinaryPrimitives.WriteInt64LittleEndian(bytes, _total);
            try
            {
                RandomAccess.Write(_handle, bytes, 0);
            }
            catch (Exception exception) when (DiskErrors.IsDisk(exception))
            {
                throw DiskErrors.Wrap(exception, "write", _path);
            }
        }
    }

    public void Dispose() => _handle.Dispose();
}

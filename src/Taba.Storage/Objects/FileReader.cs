using Microsoft.Win32.SafeHandles;

namespace Taba.Storage.Objects;

/// <summary>Reads a file at any offset; the handle has no position, so threads do not disturb each other.</summary>
sealed class FileReader : IObjectReader
{
    readonly string _path;
    readonly SafeFileHandle _handle;

    public FileReader(string path)
    {
        _path = path;
        _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        Length = RandomAccess.GetLength(_handle);
    }

    public long Length { get; }

    public void Read(long offset, Span<byte> buffer)
    {
        ObjectRange.Require(_path, Length, offset, buffer.Length);
        using var timer = new StoreInstruments.Timer("read");
        try
        {
            while (!buffer.IsEmpty)
            {
                var read = RandomAccess.Read(_handle, buffer, offset);
                if (read == 0)
                    throw new StoreException($"{_path} became shorter while it was read; run the same command again");
                buffer = buffer[read..];
                offset += read;
            }
            timer.Succeeded();
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw DiskErrors.Wrap(exception, "read", _path);
        }
    }

    public void Dispose() => _handle.Dispose();
}

/// <summary>The check that every reader makes.</summary>
static class ObjectRange
{
    /// <exception cref="StoreException">Not all of the bytes are within the object.</exception>
    public static void Require(string where, long length, long offset, int bytes)
    {
        if (offset < 0 || offset > length - bytes)
            throw new StoreException($"{where} has {length} bytes, and {bytes} were expected at {offset}: it is damaged");
    }
}

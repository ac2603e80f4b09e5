using Microsoft.Win32.SafeHandles;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Storage;

/// <summary>Reads a file of the store at any offset; the handle has no position, so threads do not disturb each other.</summary>
sealed class FileObjectReader : IObjectReader
{
    readonly string _path;
    readonly SafeFileHandle _handle;

    public FileObjectReader(string path)
    {
        _path = path;
        _handle = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        Length = RandomAccess.GetLength(_handle);
    }

    public long Length { get; }

    public void Read(long offset, Span<byte> buffer)
    {
        if (offset < 0 || offset > Length - buffer.Length)
            throw new StoreException(
                $"the object {_path} has {Length} bytes, and {buffer.Length} were expected at {offset}: it is damaged; delete the "
                + "manifest that names it and run the same command");
        using var timer = new SiloInstruments.StoreTimer("read");
        try
        {
            while (!buffer.IsEmpty)
            {
                var read = RandomAccess.Read(_handle, buffer, offset);
                if (read == 0)
                    throw new StoreException($"the object {_path} became shorter while it was read; run the same command again");
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

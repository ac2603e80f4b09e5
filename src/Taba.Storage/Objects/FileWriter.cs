namespace Taba.Storage.Objects;

/// <summary>Writes a file under a temporary name beside its own; completing makes it durable and renames it.</summary>
sealed class FileWriter(string path, string temporary) : IObjectWriter
{
    // Below the size from which arrays count as large and are collected late.
    const int BufferBytes = 64 << 10;

    readonly FileStream _stream = new(temporary, FileMode.CreateNew, FileAccess.Write, FileShare.Read, BufferBytes);
    bool _finished;

    public void Write(ReadOnlySpan<byte> bytes)
    {
        try
        {
            _stream.Write(bytes);
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw DiskErrors.Wrap(exception, "write", path);
        }
    }

    public void Complete(ReadOnlySpan<byte> head)
    {
        try
        {
            if (!head.IsEmpty)
            {
                _stream.Seek(0, SeekOrigin.Begin);
                _stream.Write(head);
            }
            _stream.Flush(flushToDisk: true);
            _stream.Dispose();
            DurableFile.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Move(temporary, path, overwrite: true);
            Posix.FlushDirectory(Path.GetDirectoryName(path)!);
            _finished = true;
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw DiskErrors.Wrap(exception, "write", path);
        }
    }

    public void Dispose()
    {
        if (_finished)
            return;
        _finished = true;
        try
        {
            _stream.Dispose();
        }
        catch (IOException)
        {
            // A full disk refuses the buffered bytes of a file that is about to be deleted.
        }
        DurableFile.DeleteIfThere(temporary);
    }
}

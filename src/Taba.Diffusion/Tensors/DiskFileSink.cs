namespace Taba.Diffusion.Tensors;

/// <summary>Writes a file under a temporary name beside its own; completing makes it durable and renames.</summary>
public sealed class DiskFileSink : IFileSink
{
    // Below the size from which arrays count as large and are collected late.
    const int BufferBytes = 64 << 10;

    readonly string _path;
    readonly string _temporary;
    readonly FileStream _stream;
    bool _finished;

    /// <param name="path">The file; its folder exists. A file of that name is replaced on <see cref="Complete"/>.</param>
    /// <exception cref="IOException">The file cannot be created.</exception>
    public DiskFileSink(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        _path = path;
        _temporary = $"{path}.tmp-{Guid.NewGuid():n}";
        _stream = new FileStream(_temporary, FileMode.CreateNew, FileAccess.Write, FileShare.Read, BufferBytes);
    }

    public void Write(ReadOnlySpan<byte> bytes) => _stream.Write(bytes);

    public void Complete(ReadOnlySpan<byte> head)
    {
        if (!head.IsEmpty)
        {
            _stream.Seek(0, SeekOrigin.Begin);
            _stream.Write(head);
        }
        _stream.Flush(flushToDisk: true);
        _stream.Dispose();
        File.Move(_temporary, _path, overwrite: true);
        _finished = true;
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

        if (File.Exists(_temporary))
            File.Delete(_temporary);
    }
}

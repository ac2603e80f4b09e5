namespace Taba.Storage.Objects;

/// <summary>A new file on the scratch disk whose failures name the disk.</summary>
sealed class ScratchStream(string path) : Stream
{
    readonly FileStream _file = StoreErrors.Guard(
        path, () => new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0, FileOptions.Asynchronous));

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _file.Length;

    public override long Position
    {
        get => _file.Position;
        set => throw new NotSupportedException();
    }

    public override void Flush() => StoreErrors.Guard(path, () =>
    {
        _file.Flush();
        return 0;
    });

    public override void Write(ReadOnlySpan<byte> buffer) =>
        StoreErrors.Guard(path, _file, buffer, static (file, bytes) => file.Write(bytes));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        try
        {
            await _file.WriteAsync(buffer, cancellationToken);
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw StoreErrors.Wrap(exception, path);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _file.Dispose();
        base.Dispose(disposing);
    }
}

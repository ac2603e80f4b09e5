using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Storage;

/// <summary>
/// Reads ranges of a large object over the network. What is read from beginning to end is fetched a window ahead; what is read
/// here and there, as asked. Each call waits for the network.
/// </summary>
/// <param name="ahead">False where many are open at once and are read in large pieces: then none keeps a window.</param>
/// <param name="version">The version whose bytes are meant; null where no bytes below the length ever change.</param>
sealed class BlobObjectReader(BlobClient client, string where, long length, ETag? version = null, bool ahead = true) : IObjectReader
{
    const int WindowBytes = 1 << 20;

    readonly Lock _gate = new();
    byte[] _window = [];
    long _windowStart;
    int _windowLength;
    long _expected;

    public long Length => length;

    public void Read(long offset, Span<byte> buffer)
    {
        if (offset < 0 || offset > length - buffer.Length)
            throw new StoreException(
                $"the object {where} has {length} bytes, and {buffer.Length} were expected at {offset}: it is damaged; delete the "
                + "manifest that names it and run the same command");
        lock (_gate)
        {
            if (offset < _windowStart || offset + buffer.Length > _windowStart + _windowLength)
            {
                if (!ahead || offset != _expected || buffer.Length >= WindowBytes)
                {
                    Fetch(offset, buffer);
                    _expected = offset + buffer.Length;
                    return;
                }
                _window = _window.Length == 0 ? new byte[WindowBytes] : _window;
                _windowLength = 0;
                var fetched = (int)Math.Min(WindowBytes, length - offset);
                Fetch(offset, _window.AsSpan(0, fetched));
                (_windowStart, _windowLength) = (offset, fetched);
            }
            _window.AsSpan((int)(offset - _windowStart), buffer.Length).CopyTo(buffer);
            _expected = offset + buffer.Length;
        }
    }

    public void Dispose()
    {
        // Every request ends by itself.
    }

    void Fetch(long offset, Span<byte> buffer)
    {
        if (buffer.IsEmpty)
            return;
        using var timer = new SiloInstruments.StoreTimer("read");
        try
        {
            // Another version would be another attempt's bytes.
            using var answer = client.DownloadStreaming(new BlobDownloadOptions
            {
                Range = new HttpRange(offset, buffer.Length), Conditions = version is null
                    ? null
                    : new BlobRequestConditions { IfMatch = version },
            }).Value;
            answer.Content.ReadExactly(buffer);
            timer.Succeeded();
        }
        catch (Exception exception) when (BlobErrors.IsBlob(exception, CancellationToken.None))
        {
            throw BlobErrors.Wrap(exception, "read", where);
        }
    }
}

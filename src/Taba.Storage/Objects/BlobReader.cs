using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace Taba.Storage.Objects;

/// <summary>
/// Reads ranges of a large object over the network. What is read from beginning to end is fetched a window ahead; what is read
/// here and there, as asked. Each call waits for the network.
/// </summary>
/// <param name="version">The version whose bytes are meant: another would be a mixture.</param>
/// <param name="ahead">False where many are open at once and are read in large pieces: then none keeps a window.</param>
sealed class BlobReader(BlobClient client, string where, long length, ETag version, bool ahead) : IObjectReader
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
        ObjectRange.Require(where, length, offset, buffer.Length);
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
        using var timer = new StoreInstruments.Timer("read");
        try
        {
            using var answer = client.DownloadStreaming(new BlobDownloadOptions
            {
                Range = new HttpRange(offset, buffer.Length),
                Conditions = new BlobRequestConditions { IfMatch = version },
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

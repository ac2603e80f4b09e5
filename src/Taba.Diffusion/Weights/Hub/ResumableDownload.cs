using System.Net;

namespace Taba.Diffusion.Weights.Hub;

/// <summary>
/// Brings one file: what has arrived stays in the incomplete file, and the next attempt, or the next process, asks for the rest only.
/// The caller holds the file's lock.
/// </summary>
/// <param name="subject">What it is, for messages.</param>
/// <param name="uri">Where it is.</param>
/// <param name="incompletePath">Where it grows.</param>
/// <param name="size">Bytes it must have; null when the server does not say.</param>
/// <param name="digest">What it must be; null when nobody says.</param>
sealed class ResumableDownload(HubSubject subject, Uri uri, string incompletePath, long? size, ContentDigest? digest)
{
    const int BufferBytes = 1 << 18;

    long _done;
    bool _wasWrong;

    /// <summary>
    /// Fills the incomplete file until it is whole, checked and on the disk; <paramref name="report"/> is told the bytes so far.
    /// </summary>
    /// <exception cref="HubException">It cannot be had; <see cref="HubFault.Network"/> leaves what has arrived.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    public async Task RunAsync(HubHttp http, HubRetry retry, Action<long> report, CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(incompletePath)!);
        try
        {
            await retry.RunAsync(subject.Name, token => AttemptAsync(http, report, token), () => _done, cancellation);
        }
        catch (HubException error) when (error.Fault == HubFault.Corrupt)
        {
            File.Delete(incompletePath); // never kept
            throw;
        }
    }

    async Task<bool> AttemptAsync(HubHttp http, Action<long> report, CancellationToken cancellation)
    {
        using var file = new FileStream(incompletePath, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
        if (size is null || file.Length > size)
            Restart(file); // without a size nothing says that the rest belongs to the beginning
        await CatchUpAsync(file, cancellation);
        report(_done);
        if (_done != size)
            await ReceiveAsync(http, file, report, cancellation);
        RequireWhole(file);
        file.Flush(flushToDisk: true);
        return true;
    }

    /// <summary>Takes what an earlier attempt left into the digest.</summary>
    async Task CatchUpAsync(FileStream file, CancellationToken cancellation)
    {
        _done = file.Length;
        file.Position = _done;
        if (digest is null || digest.Length == _done)
            return;
        digest.Reset();
        file.Position = 0;
        var buffer = new byte[BufferBytes];
        for (int read; (read = await file.ReadAsync(buffer, cancellation)) > 0;)
            digest.Append(buffer.AsSpan(0, read));
    }

    async Task ReceiveAsync(HubHttp http, FileStream file, Action<long> report, CancellationToken cancellation)
    {
        using var response = await http.GetAsync(uri, _done, subject, cancellation);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            Restart(file);
            throw new TransientException("the server has fewer bytes than have arrived");
        }
        using var body = await response.Content.ReadAsStreamAsync(cancellation);
        var buffer = new byte[BufferBytes];
        var read = await http.ReadSomeAsync(body, buffer, subject, cancellation);
        if (_done == 0 || !Continues(response))
        {
            if (OtherFile.IsWebPage(buffer.AsSpan(0, read)))
                throw subject.IsWebPage(uri); // what has arrived stays
            Restart(file);
        }
        if (size is { } wanted && response.Content.Headers.ContentLength is { } coming && _done + coming != wanted)
            throw new HubException(HubFault.Corrupt, $"{subject.Name} should have {wanted} bytes, but the server sends {_done + coming}.");

        for (; read > 0; read = await http.ReadSomeAsync(body, buffer, subject, cancellation))
        {
            if (_done + read > size)
                throw new HubException(HubFault.Corrupt, $"{subject.Name} should have {size} bytes, but the server sends more.");

            file.Write(buffer, 0, read);
            digest?.Append(buffer.AsSpan(0, read));
            _done += read;
            report(_done);
        }
    }

    bool Continues(HttpResponseMessage response) =>
        response.StatusCode == HttpStatusCode.PartialContent
        && response.Content.Headers.ContentRange is { Unit: "bytes" } range
        && range.From == _done
        && (range.Length is null || size is null || range.Length == size);

    void RequireWhole(FileStream file)
    {
        if (_done < size)
            throw new TransientException($"the connection was cut after {_done} of {size} bytes");
        if (digest is null || digest.Matches())
            return;

        // Once more from the start: the file of an earlier process may have been at fault.
        Restart(file);
        if (_wasWrong)
            throw new HubException(
                HubFault.Corrupt, $"{subject.Name} arrived damaged twice (its digest is not the stated one) and was thrown away.");
        _wasWrong = true;
        throw new TransientException("it arrived damaged (its digest is not the stated one)");
    }

    void Restart(FileStream file)
    {
        file.SetLength(0);
        file.Position = 0;
        digest?.Reset();
        _done = 0;
    }
}

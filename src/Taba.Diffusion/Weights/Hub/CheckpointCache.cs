using System.Security.Cryptography;
using System.Text;

namespace Taba.Diffusion.Weights.Hub;

/// <summary>The download of a plain file: from where, to where, and how much.</summary>
/// <param name="Source">Where it is published.</param>
/// <param name="Path">Where it goes.</param>
/// <param name="Size">Bytes; null when the server does not say.</param>
/// <param name="BytesHere">What is here of it, whole or begun.</param>
public sealed record CheckpointPull(Uri Source, string Path, long? Size, long BytesHere)
{
    internal Uri Address { get; init; } = Source;

    internal byte[]? Md5 { get; init; }

    internal string? IncompletePath { get; init; }
}

/// <summary>
/// Checkpoints that are published as plain files, such as OpenAI's: kept under their names in one folder, downloaded with the same
/// care as the hub's. Nobody states a SHA-256 of them, so size and, where the server gives one, MD5 are checked.
/// </summary>
public sealed class CheckpointCache : IDisposable
{
    readonly HubSettings _settings;
    readonly HubHttp _http;
    readonly HubRetry _retry;

    /// <inheritdoc cref="HubClient(HubSettings, HttpMessageHandler?, TimeProvider?, HubRetryOptions?)"/>
    public CheckpointCache(
        HubSettings settings, HttpMessageHandler? handler = null, TimeProvider? time = null, HubRetryOptions? retry = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        _settings = settings;
        _retry = new HubRetry(retry ?? new HubRetryOptions(), time ?? TimeProvider.System);
        _http = new HubHttp(handler, settings, token: null, _retry.Options.Silence, time ?? TimeProvider.System);
    }

    /// <summary>The path of a published file in the cache. The file need not be there.</summary>
    /// <exception cref="HubException">The address names no file.</exception>
    public static string PathOf(HubSettings settings, Uri source)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return Path.Combine(settings.CheckpointFolder, NameOf(source));
    }

    /// <summary>Asks for the file's size; writes nothing.</summary>
    /// <exception cref="HubException">It cannot be had.</exception>
    public async Task<CheckpointPull> PlanAsync(Uri source, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        var (name, path) = (NameOf(source), PathOf(_settings, source));
        if (new FileInfo(path) is { Exists: true } here)
            return new CheckpointPull(source, path, here.Length, here.Length);
        _settings.RequireOnline(name, _settings.CheckpointFolder);

        var address = _settings.CheckpointMirror is { } mirror ? new Uri(mirror, Uri.EscapeDataString(name)) : source;
        var subject = Subject(source);
        using var head = await _retry.RunAsync(
            subject.Name, token => _http.HeadAsync(address, subject, token), static () => 0, cancellation);
        var size = head.IsSuccessStatusCode ? head.Content.Headers.ContentLength : null;
        var incomplete = Path.Combine(_settings.CheckpointFolder, $".{name}.{Version(address, head)}.incomplete");
        return new CheckpointPull(
            source, path, size, new FileInfo(incomplete) is { Exists: true } begun && begun.Length <= size ? begun.Length : 0)
        {
            Address = address,
            Md5 = head.Content.Headers.ContentMD5,
            IncompletePath = incomplete,
        };
    }

    /// <summary>Brings the file. Interrupted, it leaves what has arrived, and the next pull goes on from there.</summary>
    /// <returns>Its path.</returns>
    /// <exception cref="HubException">It cannot be had.</exception>
    /// <exception cref="IOException">The disk failed or is full.</exception>
    public async Task<string> PullAsync(
        CheckpointPull pull, IProgress<HubProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(pull);
        if (pull.IncompletePath is not { } incomplete)
            return pull.Path;
        var name = Path.GetFileName(pull.Path);
        using var held = await FileLock.AcquireAsync(
            Path.Combine(_settings.CheckpointFolder, $".{name}.lock"),
            () => _retry.Options.Notice?.Invoke($"{name} is being downloaded by another process; waiting for it."),
            cancellation);
        if (File.Exists(pull.Path))
            return pull.Path;

        using var digest = pull.Md5 is { } md5 ? ContentDigest.OfMd5(md5) : null;
        var download = new ResumableDownload(Subject(pull.Source), pull.Address, incomplete, pull.Size, digest);
        await download.RunAsync(
            _http, _retry, done => progress?.Report(new HubProgress(name, done, pull.Size, done, pull.Size)), cancellation);
        File.Move(incomplete, pull.Path, overwrite: false);
        RemoveBeginnings(name);
        return pull.Path;
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _http.Dispose();

    /// <summary>Beginnings of versions that the server no longer has.</summary>
    void RemoveBeginnings(string name)
    {
        foreach (var file in Directory.EnumerateFiles(_settings.CheckpointFolder, $".{name}.*.incomplete"))
            File.Delete(file);
    }

    static HubSubject Subject(Uri source) => new($"{NameOf(source)} of {source.Host}", null);

    /// <summary>Tells a file from another that the server may have under the same address later.</summary>
    static string Version(Uri address, HttpResponseMessage head)
    {
        var identity = $"{address} {head.Headers.ETag?.Tag} {head.Content.Headers.ContentLength} {head.Content.Headers.LastModified:O}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity)))[..16];
    }

    static string NameOf(Uri source)
    {
        var name = Uri.UnescapeDataString(source.Segments[^1]);
        return HubNames.IsSafePath(name) && !name.Contains('/', StringComparison.Ordinal) && name[0] != '.'
            ? name
            : throw new HubException(HubFault.BadRequest, $"The address {source} names no file.");
    }
}

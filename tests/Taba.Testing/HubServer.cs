using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Taba.Testing;

/// <summary>A request as the server saw it.</summary>
/// <param name="Port">Which of the server's two ports it came to.</param>
/// <param name="Target">Path and query, as sent.</param>
public sealed record HubRequest(int Port, string Method, string Target, IReadOnlyDictionary<string, string> Headers)
{
    public string? Authorization => Headers.GetValueOrDefault("authorization");

    public string? Range => Headers.GetValueOrDefault("range");
}

/// <summary>An answer. With <paramref name="CutAfter"/> the connection is torn after that many bytes of the body.</summary>
public sealed record HubReply(int Status, byte[] Body, IReadOnlyDictionary<string, string>? Headers = null, int? CutAfter = null)
{
    public static HubReply Of(int status, params (string Name, string Value)[] headers) =>
        new(status, [], headers.ToDictionary(h => h.Name, h => h.Value));
}

/// <summary>
/// A hub on this machine: a real HTTP server on two free ports of 127.0.0.1. The first lists repositories and redirects large files
/// to the second, as the public hub does to its storage. Also serves plain files from /files/NAME.
/// </summary>
public sealed class HubServer : IDisposable
{
    readonly TcpListener _hub = Listen(), _storage = Listen();
    readonly CancellationTokenSource _stop = new();
    readonly ConcurrentDictionary<string, ConcurrentDictionary<string, (byte[] Bytes, bool Large)>> _repositories = new();
    readonly ConcurrentDictionary<string, byte[]> _files = new();
    readonly ConcurrentQueue<HubRequest> _requests = new();

    public HubServer()
    {
        Serve(_hub, Answer);
        Serve(_storage, AnswerStorage);
    }

    public Uri Endpoint => new($"http://127.0.0.1:{PortOf(_hub)}/");

    public int StoragePort => PortOf(_storage);

    /// <summary>What every revision stands for.</summary>
    public string Commit { get; set; } = new('c', 40);

    /// <summary>When set, files are given out only to this token.</summary>
    public string? Token { get; set; }

    /// <summary>Answers instead of the server; null lets it answer itself.</summary>
    public Func<HubRequest, HubReply?>? Intercept { get; set; }

    public IReadOnlyList<HubRequest> Requests => [.. _requests];

    /// <summary>Adds a file to a repository, given as models/ORG/NAME or datasets/ORG/NAME.</summary>
    public void Add(string repository, string path, byte[] bytes, bool large = false) =>
        _repositories.GetOrAdd(repository, _ => new())[path] = (bytes, large);

    public void AddFolder(string repository, string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            Add(
                repository, Path.GetRelativePath(folder, file).Replace('\\', '/'), File.ReadAllBytes(file),
                Path.GetExtension(file) is ".bin" or ".safetensors" or ".model");
        }
    }

    /// <summary>Adds a plain file; returns its address.</summary>
    public Uri AddPlain(string name, byte[] bytes)
    {
        _files[name] = bytes;
        return new Uri(Endpoint, $"files/{name}");
    }

    /// <summary>The name of a file's blob: SHA-256 when it is large, git's SHA-1 when it is small.</summary>
    public static string Blob(byte[] bytes, bool large)
    {
        using var hash = IncrementalHash.CreateHash(large ? HashAlgorithmName.SHA256 : HashAlgorithmName.SHA1);
        if (!large)
            hash.AppendData(Encoding.ASCII.GetBytes($"blob {bytes.Length}\0"));
        hash.AppendData(bytes);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public void Dispose()
    {
        _stop.Cancel();
        _hub.Stop();
        _storage.Stop();
    }

    HubReply Answer(HubRequest request)
    {
        var path = Uri.UnescapeDataString(request.Target.Split('?')[0].TrimStart('/'));
        if (path.StartsWith("files/", StringComparison.Ordinal))
            return _files.TryGetValue(path[6..], out var plain) ? Ranged(
                request, plain, ("ETag", $"\"{Blob(plain, true)}\"")) : HubReply.Of(404);
        if (path.StartsWith("api/", StringComparison.Ordinal) && path.IndexOf("/revision/", StringComparison.Ordinal) is > 0 and var at)
            return _repositories.TryGetValue(path[4..at], out var listed) ? List(listed) : HubReply.Of(
                401, ("X-Error-Code", "RepoNotFound"));

        var parts = path.Split("/resolve/");
        var name = parts[0].StartsWith("datasets/", StringComparison.Ordinal) ? parts[0] : $"models/{parts[0]}";
        if (parts.Length != 2 || !_repositories.TryGetValue(name, out var repository))
            return HubReply.Of(401, ("X-Error-Code", "RepoNotFound"));
        if (Token is not null && request.Authorization != $"Bearer {Token}")
            return HubReply.Of(request.Authorization is null ? 401 : 403, ("X-Error-Code", "GatedRepo"));
        if (!parts[1].StartsWith(Commit + "/", StringComparison.Ordinal) || !repository.TryGetValue(
            parts[1][(Commit.Length + 1)..], out var file))
            return HubReply.Of(404, ("X-Error-Code", "EntryNotFound"));
        return file.Large
            ? HubReply.Of(
                302, ("Location", $"http://127.0.0.1:{StoragePort}/{Blob(file.Bytes, true)}?signature=x"),
                ("X-Linked-Size", $"{file.Bytes.Length}"))
            : Ranged(request, file.Bytes);
    }

    HubReply AnswerStorage(HubRequest request)
    {
        var blob = request.Target.Split('?')[0].TrimStart('/');
        var file = _repositories.Values.SelectMany(r => r.Values).FirstOrDefault(f => f.Large && Blob(f.Bytes, true) == blob);
        return file.Bytes is null ? HubReply.Of(404) : Ranged(request, file.Bytes);
    }

    HubReply List(ConcurrentDictionary<string, (byte[] Bytes, bool Large)> files)
    {
        var siblings = files.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => new Dictionary<string, object>
        {
            ["rfilename"] = f.Key,
            ["size"] = f.Value.Bytes.Length,
            ["blobId"] = f.Value.Large ? new string('0', 40) : Blob(f.Value.Bytes, false),
        }.Concat(f.Value.Large
            ? [new("lfs", new { sha256 = Blob(f.Value.Bytes, true), size = f.Value.Bytes.Length, pointerSize = 134 })]
            : Array.Empty<KeyValuePair<string, object>>()).ToDictionary());
        return new HubReply(200, JsonSerializer.SerializeToUtf8Bytes(new { id = "x", sha = Commit, siblings }));
    }

    static HubReply Ranged(HubRequest request, byte[] bytes, params (string Name, string Value)[] headers)
    {
        var fields = headers.ToDictionary(h => h.Name, h => h.Value);
        if (request.Range is not { } range || !range.StartsWith("bytes=", StringComparison.Ordinal))
            return new HubReply(200, bytes, fields);
        var from = int.Parse(range[6..].TrimEnd('-'));
        if (from >= bytes.Length)
            return HubReply.Of(416);
        fields["Content-Range"] = $"bytes {from}-{bytes.Length - 1}/{bytes.Length}";
        return new HubReply(206, bytes[from..], fields);
    }

    static TcpListener Listen()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return listener;
    }

    static int PortOf(TcpListener listener) => ((IPEndPoint)listener.LocalEndpoint).Port;

    async void Serve(TcpListener listener, Func<HubRequest, HubReply> answer)
    {
        try
        {
            while (!_stop.IsCancellationRequested)
                Handle(await listener.AcceptTcpClientAsync(_stop.Token), PortOf(listener), answer);
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // stopped
        }
    }

    async void Handle(TcpClient client, int port, Func<HubRequest, HubReply> answer)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                if (await ReadAsync(stream, port) is not { } request)
                    return;
                _requests.Enqueue(request);
                await WriteAsync(client, request, Intercept?.Invoke(request) ?? answer(request));
            }
            catch (Exception error) when (error is IOException or SocketException)
            {
                // the client went away
            }
        }
    }

    static async Task<HubRequest?> ReadAsync(NetworkStream stream, int port)
    {
        var bytes = new List<byte>();
        var one = new byte[1];
        while (bytes.Count < 64 << 10 && await stream.ReadAsync(one) == 1)
        {
            bytes.Add(one[0]);
            if (bytes.Count < 4 || !bytes[^4..].SequenceEqual("\r\n\r\n"u8.ToArray()))
                continue;
            var lines = Encoding.Latin1.GetString([.. bytes]).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
            var start = lines[0].Split(' ');
            var headers = lines[1..].Select(l => l.Split(": ", 2)).ToDictionary(p => p[0].ToLowerInvariant(), p => p[^1]);
            return new HubRequest(port, start[0], start[1], headers);
        }

        return null;
    }

    static async Task WriteAsync(TcpClient client, HubRequest request, HubReply reply)
    {
        var head = new StringBuilder($"HTTP/1.1 {reply.Status} X\r\nConnection: close\r\nContent-Length: {reply.Body.Length}\r\n");
        foreach (var (name, value) in reply.Headers ?? new Dictionary<string, string>())
            head.Append($"{name}: {value}\r\n");
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(head.Append("\r\n").ToString()));
        if (request.Method != "HEAD")
            await stream.WriteAsync(reply.Body.AsMemory(0, reply.CutAfter ?? reply.Body.Length));
        await stream.FlushAsync();
    }
}

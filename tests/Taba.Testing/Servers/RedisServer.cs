using System.Diagnostics;
using System.Net.Sockets;

namespace Taba.Testing.Servers;

/// <summary>A Redis server of one test class, with an append-only file, on loopback.</summary>
public sealed class RedisServer : IAsyncDisposable
{
    readonly TempFolder _folder = new();
    readonly int _port = ServerProgram.FreePort();
    Process? _process;

    RedisServer()
    {
    }

    /// <summary>Why it cannot run here; null when it can.</summary>
    public static string? Missing => Program is null ? ServerProgram.Missing("Redis (Debian: redis-server)") : null;

    /// <summary>For StackExchange.Redis.</summary>
    public string ConnectionString => $"127.0.0.1:{_port},abortConnect=false";

    public int Port => _port;

    static string? Program => ServerProgram.OnPath("redis-server");

    public static async Task<RedisServer> StartAsync()
    {
        var server = new RedisServer();
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Kills it: what its append-only file does not hold yet, up to a second of it, is lost.</summary>
    public async Task StopAsync()
    {
        if (_process is not { } process)
            return;
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
        _process = null;
    }

    /// <summary>Starts it after a stop, on the same port and data.</summary>
    public async Task StartAgainAsync()
    {
        _process = ServerProgram.Start(
            Program ?? throw new InvalidOperationException("Redis is missing."),
            ["--port", $"{_port}", "--bind", "127.0.0.1", "--dir", _folder.Path, "--appendonly", "yes", "--appendfsync", "everysec",
            "--save", ""],
            _folder.At("server.log"));
        await ServerProgram.ReadyAsync("Redis", async () =>
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", _port);
            var stream = client.GetStream();
            await stream.WriteAsync("PING\r\n"u8.ToArray());
            var answer = new byte[7];
            return await stream.ReadAsync(answer) > 0 && answer.AsSpan().StartsWith("+PONG"u8);
        });
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }
}

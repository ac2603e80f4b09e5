using System.Diagnostics;

namespace Taba.Testing.Servers;

/// <summary>A browser without a window, which is driven through its developer tools.</summary>
public sealed class ChromiumServer : IAsyncDisposable
{
    /// <summary>Nothing but what a test asks of it: no updates, no accounts, no questions.</summary>
    static readonly string[] s_quiet =
    [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage", "--no-first-run",
        "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions", "--hide-scrollbars",
        "--remote-debugging-port=0",
    ];

    readonly TempFolder _folder = new();
    Process? _process;

    ChromiumServer()
    {
    }

    /// <summary>Why it cannot run here; null when it can.</summary>
    public static string? Missing => Program is null ? ServerProgram.Missing("Chromium (Debian: chromium)") : null;

    /// <summary>The WebSocket of its developer tools.</summary>
    public Uri Tools { get; private set; } = null!;

    static string? Program => ServerProgram.OnPath("chromium");

    public static async Task<ChromiumServer> StartAsync()
    {
        var server = new ChromiumServer();
        server._process = ServerProgram.Start(
            Program ?? throw new InvalidOperationException("Chromium is missing."),
            [.. s_quiet, $"--user-data-dir={server._folder.Path}", "about:blank"], server._folder.At("server.log"));
        var port = server._folder.At("DevToolsActivePort");
        await ServerProgram.ReadyAsync("Chromium", async () =>
        {
            // The port, and the path of the socket.
            if (!File.Exists(port) || await File.ReadAllLinesAsync(port) is not [var number, var path])
                return false;
            server.Tools = new($"ws://127.0.0.1:{number}{path}");
            return true;
        });
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
        _folder.Dispose();
    }
}

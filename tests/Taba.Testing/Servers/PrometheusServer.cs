using System.Diagnostics;
using System.Text.Json;

namespace Taba.Testing.Servers;

/// <summary>A Prometheus that scrapes silos each second, on loopback.</summary>
public sealed class PrometheusServer : IAsyncDisposable
{
    readonly TempFolder _folder = new();
    readonly HttpClient _client;
    Process? _process;

    PrometheusServer(int port) => _client = new() { BaseAddress = new($"http://127.0.0.1:{port}") };

    /// <summary>Why it cannot run here; null when it can.</summary>
    public static string? Missing => Program is null ? ServerProgram.Missing("Prometheus (Debian: prometheus)") : null;

    static string? Program => ServerProgram.OnPath("prometheus");

    /// <param name="targets">The operations ports of silos.</param>
    public static async Task<PrometheusServer> StartAsync(params IEnumerable<int> targets)
    {
        var port = ServerProgram.FreePort();
        var server = new PrometheusServer(port);
        var config = server._folder.At("prometheus.yml");
        await File.WriteAllTextAsync(config, $"""
            global: {"{ scrape_interval: 1s, scrape_timeout: 1s }"}
            scrape_configs:
              - job_name: taba
                static_configs:
                  - targets: [{string.Join(", ", targets.Select(t => $"'127.0.0.1:{t}'"))}]
            """);
        server._process = ServerProgram.Start(
            Program ?? throw new InvalidOperationException("Prometheus is missing."),
            ["--config.file", config, "--storage.tsdb.path", server._folder.At("data"), "--web.listen-address", $"127.0.0.1:{port}"],
            server._folder.At("server.log"));
        await ServerProgram.ReadyAsync("Prometheus", async () => (await server._client.GetAsync("/-/ready")).IsSuccessStatusCode);
        return server;
    }

    /// <summary>The names of all series that it has.</summary>
    public async Task<IReadOnlySet<string>> NamesAsync()
    {
        using var answer = JsonDocument.Parse(await _client.GetStringAsync("/api/v1/label/__name__/values"));
        return answer.RootElement.GetProperty("data").EnumerateArray().Select(n => n.GetString()!).ToHashSet();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { } process)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
        _client.Dispose();
        _folder.Dispose();
    }
}

using System.Diagnostics;

namespace Taba.Testing.Servers;

/// <summary>Azurite, the emulator of Azure storage, of one test class, on loopback: blobs and tables.</summary>
public sealed class AzuriteServer : IAsyncDisposable
{
    /// <summary>The emulator's well-known account.</summary>
    const string Account = "devstoreaccount1";

    /// <summary>What no message may show.</summary>
    public const string Secret = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    readonly TempFolder _folder = new();
    readonly int _port;
    readonly int _queuePort;
    readonly int _tablePort;
    Process? _process;

    AzuriteServer() => (_port, _queuePort, _tablePort) = (ServerProgram.FreePort(), ServerProgram.FreePort(), ServerProgram.FreePort());

    /// <summary>Why it cannot run here; null when it can.</summary>
    public static string? Missing =>
        Program is null ? ServerProgram.Missing("Azurite (npm: azurite, in tests/Taba.Testing/Servers)") : null;

    /// <summary>For Azure.Storage.Blobs and Azure.Data.Tables.</summary>
    public string ConnectionString =>
        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Secret};BlobEndpoint=http://127.0.0.1:{_port}/{Account};"
        + $"TableEndpoint=http://127.0.0.1:{_tablePort}/{Account};";

    public int Port => _port;

    /// <summary>The one that TABA_AZURITE names, else the one that test.sh installed beside this source, else one of the path.</summary>
    static string? Program => Environment.GetEnvironmentVariable("TABA_AZURITE") is { Length: > 0 } named
        ? ServerProgram.Find(named)
        : ServerProgram.Find(Above().Select(f => Path.Combine(f, "tests/Taba.Testing/Servers/node_modules/.bin/azurite")))
            ?? ServerProgram.OnPath("azurite");

    public static async Task<AzuriteServer> StartAsync()
    {
        var server = new AzuriteServer();
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>
    /// Ends it as a service manager would. Killed, it would forget what it acknowledged in its last five seconds, as no account of
    /// Azure does.
    /// </summary>
    public async Task StopAsync()
    {
        if (_process is not { } process)
            return;
        await ServerProgram.RunAsync("/bin/sh", "-c", $"kill -TERM {process.Id}");
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }
        process.Dispose();
        _process = null;
    }

    /// <summary>Starts it after a stop, on the same ports and data.</summary>
    public async Task StartAgainAsync()
    {
        _process = ServerProgram.Start(
            Program ?? throw new InvalidOperationException("Azurite is missing."),
            ["--blobHost", "127.0.0.1", "--blobPort", $"{_port}", "--tableHost", "127.0.0.1", "--tablePort", $"{_tablePort}",
            // Queues cannot be left out.
            "--queueHost", "127.0.0.1", "--queuePort", $"{_queuePort}",
            "--location", _folder.Path, "--skipApiVersionCheck", "--disableTelemetry", "--silent"],
            _folder.At("server.log"));
        using var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        await ServerProgram.ReadyAsync("Azurite", async () =>
        {
            // Any answer will do: without a signature it is a refusal.
            using var blobs = await http.GetAsync(new Uri($"http://127.0.0.1:{_port}/{Account}?comp=list"));
            using var tables = await http.GetAsync(new Uri($"http://127.0.0.1:{_tablePort}/{Account}/Tables"));
            return true;
        });
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _folder.Dispose();
    }

    static IEnumerable<string> Above()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            yield return folder.FullName;
    }
}

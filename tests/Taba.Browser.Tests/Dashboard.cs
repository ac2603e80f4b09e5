using Taba.Testing;
using Taba.Testing.Clusters;
using Taba.Testing.Commands;
using Taba.Testing.Servers;

namespace Taba.Browser.Tests;

/// <summary>A cluster whose coordinator serves the dashboard, two workers, and a browser that looks at it.</summary>
public sealed class Dashboard : IAsyncLifetime
{
    public const string Token = "a-token-of-the-tests";

    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    const string Coordinator = "c1";

    TestCluster? _cluster;
    ChromiumServer? _chromium;
    DevTools? _tools;
    string _url = "";

    /// <summary>Why it cannot run here; null when it can.</summary>
    static string? Missing => ChromiumServer.Missing ?? RedisServer.Missing;

    public TestCluster Cluster
    {
        get
        {
            if (Missing is { } missing)
                Assert.Skip(missing);
            return _cluster!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (Missing is not null)
            return;
        _cluster = await TestCluster.StartOnRedisAsync();
        var port = ServerProgram.FreePort();
        _cluster.SettingsOf[Coordinator] = new()
        {
            ["Taba__Web__Address"] = "127.0.0.1",
            ["Taba__Web__Port"] = $"{port}",
            ["Taba__Web__OperationsPort"] = $"{ServerProgram.FreePort()}",
            ["Taba__Web__Token"] = Token,
        };
        _url = $"http://127.0.0.1:{port}/";
        await StartCoordinatorAsync();
        await Task.WhenAll(_cluster.StartSiloAsync("w1"), _cluster.StartSiloAsync("w2"), BrowseAsync());

        async Task BrowseAsync()
        {
            _chromium = await ChromiumServer.StartAsync();
            _tools = await DevTools.ConnectAsync(_chromium.Tools);
        }
    }

    public Task<ProgramProcess> StartCoordinatorAsync() => Cluster.StartSiloAsync(Coordinator, "coordinator");

    public Task KillCoordinatorAsync()
    {
        Cluster.Silos[Coordinator].Kill();
        return Cluster.Silos[Coordinator].EndAsync(Limit);
    }

    /// <summary>Opens a page in a browser of its own.</summary>
    /// <param name="route">What follows the address: <c>#/devices</c>.</param>
    internal Task<BrowserPage> OpenAsync(string route, int width = 1200, bool dark = false) => OpenAtAsync(_url + route, width, dark);

    /// <summary>Opens an address in a browser of its own.</summary>
    internal Task<BrowserPage> OpenAtAsync(string url, int width = 1200, bool dark = false)
    {
        _ = Cluster;
        return BrowserPage.OpenAsync(_tools!, url, width, 800, dark);
    }

    /// <summary>Opens a page that is signed in.</summary>
    internal async Task<BrowserPage> EnterAsync(string route, int width = 1200, bool dark = false)
    {
        var page = await OpenAsync($"#token={Token}", width, dark);
        await page.IsLiveAsync();
        await page.GoAsync(_url + route);
        await page.IsLiveAsync();
        return page;
    }

    /// <summary>Starts a sweep of the shipped model; its client writes the run folders when it ends.</summary>
    public ProgramProcess Submit(string name, int samples) =>
        Cluster.StartClient("run", Sweep(name, samples), "--out", Path.Combine(Cluster.Folder, name), "--cluster", TestCluster.Name);

    /// <summary>Starts a sweep that runs in its command, which serves the dashboard at a port.</summary>
    public ProgramProcess Run(string name, int samples, int port) => Cluster.StartClient(
        "run", Sweep(name, samples), "--out", Path.Combine(Cluster.Folder, name), "--device", "cpu", "--dashboard",
        "--dashboard_port", $"{port}");

    string Sweep(string name, int samples)
    {
        // The seed makes its stages its own.
        var file = Path.Combine(Cluster.Folder, $"{name}.yaml");
        File.WriteAllText(file, $$"""
            name: {{name}}
            model: demo
            samples: {{samples}}
            seed: {{name.Sum(c => c)}}
            num_inference_steps: 10
            stages: [sample, invert, reconstruct]
            interventions:
              - forward: { before: 3, seed: 999 }
            """);
        return file;
    }

    public async ValueTask DisposeAsync()
    {
        if (_tools is not null)
            await _tools.DisposeAsync();
        if (_chromium is not null)
            await _chromium.DisposeAsync();
        if (_cluster is not null)
            await _cluster.DisposeAsync();
    }
}

using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using Taba.Testing.Clusters;
using Taba.Testing.Servers;
using Taba.Testing.Telemetry;

namespace Taba.Cluster.Tests;

/// <summary>What two silos and a client tell a collector, Prometheus and whoever asks for their health.</summary>
public sealed class TelemetryTests
{
    static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Run_WithACollectorOverHttp_SendsMetricsConnectedSpansAndLogs() =>
        await RunAndCheckAsync("http/protobuf", r => r.HttpAddress);

    [Fact]
    public async Task Run_WithACollectorOverGrpc_SendsMetricsConnectedSpansAndLogs() => await RunAndCheckAsync("grpc", r => r.GrpcAddress);

    [Fact]
    public async Task Web_OfASilo_AnswersHealthMetricsAndJsonAndWantsItsToken()
    {
        Required.Here(PostgresServer.Missing);
        const string token = "a-token-of-this-test";
        await using var cluster = await TestCluster.StartAsync();
        var (pages, operations) = (FreePort(), FreePort());
        cluster.Settings["Taba__Web__Address"] = "127.0.0.1";
        cluster.Settings["Taba__Web__Token"] = token;
        // Prometheus is served all the same.
        cluster.Settings["OTEL_SDK_DISABLED"] = "true";
        cluster.Settings["Taba__Web__Port"] = $"{pages}";
        cluster.Settings["Taba__Web__OperationsPort"] = $"{operations}";
        await cluster.StartSiloAsync("w1");
        await cluster.RunClientAsync(s_limit, "run", Sweep(cluster, 8), "--cluster", TestCluster.Name, "--out", "out");
        using var client = new HttpClient();

        foreach (var probe in new[] { "startup", "ready", "live" })
            Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"http://127.0.0.1:{operations}/health/{probe}")).StatusCode);
        var scrape = await client.GetStringAsync($"http://127.0.0.1:{operations}/metrics");
        Assert.Contains("service_instance_id=\"w1\"", scrape, StringComparison.Ordinal);
        Assert.Contains("taba_row_published_total", scrape, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync($"http://127.0.0.1:{pages}/api/sweeps")).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await client.GetAsync($"http://127.0.0.1:{pages}/metrics")).StatusCode);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        var sweep = JsonDocument.Parse(await client.GetStringAsync($"http://127.0.0.1:{pages}/api/sweeps")).RootElement
            .GetProperty("entries")[0];
        Assert.Equal("completed", sweep.GetProperty("state").GetString());
        var stages = JsonDocument.Parse(await client.GetStringAsync(
            $"http://127.0.0.1:{pages}/api/sweeps/{sweep.GetProperty("id").GetString()}/stages?count=1")).RootElement;
        Assert.Equal(2, stages.GetProperty("total").GetInt32());
        Assert.Equal(8, stages.GetProperty("entries")[0].GetProperty("rowsDone").GetInt32());
        Assert.Equal("w1", JsonDocument.Parse(await client.GetStringAsync($"http://127.0.0.1:{pages}/api/silos"))
            .RootElement.GetProperty("entries")[0].GetProperty("name").GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"http://127.0.0.1:{pages}/metrics")).StatusCode);

        // More sweeps, parts and samples are more counts, and not one more series.
        var before = Series(scrape);
        foreach (var samples in new[] { 16, 80 })
            await cluster.RunClientAsync(
                s_limit, "run", Sweep(cluster, samples), $"seed={samples}", $"name=more-{samples}", "--cluster", TestCluster.Name, "--out",
                "out");
        Assert.Equal(before, Series(await client.GetStringAsync($"http://127.0.0.1:{operations}/metrics")));
    }

    static async Task RunAndCheckAsync(string protocol, Func<OtlpReceiver, string> address)
    {
        Required.Here(PostgresServer.Missing);
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var cluster = await TestCluster.StartAsync();
        cluster.Settings["OTEL_EXPORTER_OTLP_ENDPOINT"] = address(receiver);
        cluster.Settings["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol;
        cluster.Settings["OTEL_EXPORTER_OTLP_HEADERS"] = "authorization=Basic abc";
        cluster.Settings["OTEL_SERVICE_NAME"] = "taba-test";
        cluster.Settings["OTEL_METRIC_EXPORT_INTERVAL"] = "500";
        cluster.Settings["OTEL_BSP_SCHEDULE_DELAY"] = "200";
        cluster.Settings["OTEL_BLRP_SCHEDULE_DELAY"] = "200";
        await cluster.StartSiloAsync("w1");
        await cluster.StartSiloAsync("w2");

        // Enough that neither silo can have all of it before the other has asked.
        await cluster.RunClientAsync(s_limit, "run", Sweep(cluster, 480), "--cluster", TestCluster.Name, "--out", "out");
        await Until(() => receiver.Spans.Any(s => s.Name == "run") && receiver.Spans.Count(s => s.Name == "part") >= 6
            && receiver.Metrics.ContainsKey(("w1", "taba.engine.time")) && receiver.Metrics.ContainsKey(("w2", "taba.engine.time"))
            && receiver.Logs.Any(l => l.Text.Contains("ends as", StringComparison.Ordinal)));

        Assert.All(receiver.Authorizations, a => Assert.Equal("Basic abc", a));
        var spans = receiver.Spans.ToDictionary(s => s.Id);
        Assert.All(spans.Values, s => Assert.Equal("taba-test", s.Service));
        var root = Assert.Single(spans.Values, s => s.Name == "run");
        Assert.Equal("", root.Parent);
        Assert.All(spans.Values, s => Assert.Equal(root.Trace, s.Trace));
        Assert.All(spans.Values.Where(s => s.Name == "sweep"), s => Assert.Equal("run", spans[s.Parent].Name));
        Assert.All(spans.Values.Where(s => s.Name == "stage"), s => Assert.Equal("sweep", spans[s.Parent].Name));
        Assert.All(spans.Values.Where(s => s.Name == "part"), s => Assert.Equal("stage", spans[s.Parent].Name));
        // A part's own span ends after those of its segments, and may still be on its way.
        var segments = spans.Values.Where(s => s.Name == "segment" && spans.ContainsKey(s.Parent)).ToList();
        Assert.NotEmpty(segments);
        Assert.All(segments, s => Assert.Equal("part", spans[s.Parent].Name));
        Assert.Equal(["w1", "w2"], spans.Values.Where(s => s.Name == "part").Select(s => s.Instance).Distinct().Order());
        Assert.Contains(receiver.Metrics.Keys, m => m.Metric == "taba.part.leased");
    }

    /// <summary>Taba's own series with their labels; those that come and go with work that waits are left out.</summary>
    static IReadOnlyList<string> Series(string scrape) =>
    [
        .. scrape.Split('\n').Where(
            line => line.StartsWith("taba_", StringComparison.Ordinal) && !line.StartsWith("taba_work_", StringComparison.Ordinal))
            .Select(line => line[..line.LastIndexOf(' ')]).Order(StringComparer.Ordinal),
    ];

    static string Sweep(TestCluster cluster, int samples)
    {
        var file = Path.Combine(cluster.Folder, "sweep.yaml");
        File.WriteAllText(file, $"""
            name: told
            model: demo
            samples: {samples}
            num_inference_steps: 4
            stages: [sample, invert]
            """);
        return file;
    }

    static async Task Until(Func<bool> holds)
    {
        using var limit = new CancellationTokenSource(s_limit);
        while (!holds())
            await Task.Delay(50, limit.Token);
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

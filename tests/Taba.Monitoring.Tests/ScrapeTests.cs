using System.Net;
using System.Net.Sockets;
using Taba.Testing;
using Taba.Testing.Clusters;
using Taba.Testing.Servers;

namespace Taba.Monitoring.Tests;

/// <summary>A real Prometheus scrapes a silo that has worked: what rules and dashboard name is there.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class ScrapeTests
{
    static readonly TimeSpan s_limit = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task Prometheus_ThatScrapesASilo_HasEverySeriesOfTheRulesAndTheDashboard()
    {
        foreach (var missing in new[] { PostgresServer.Missing, PrometheusServer.Missing })
            Assert.SkipWhen(missing is not null, missing ?? "");
        await using var cluster = await TestCluster.StartAsync();
        var operations = FreePort();
        cluster.Settings["Taba__Web__Address"] = "127.0.0.1";
        cluster.Settings["Taba__Web__Port"] = $"{FreePort()}";
        cluster.Settings["Taba__Web__OperationsPort"] = $"{operations}";
        await cluster.StartSiloAsync("w1");
        await using var prometheus = await PrometheusServer.StartAsync(operations);
        TinyModels.Gaussian(Path.Combine(cluster.Folder, "gaussian.json"));
        await File.WriteAllTextAsync(Path.Combine(cluster.Folder, "sweep.yaml"), """
            name: scraped
            model: gaussian.json
            samples: 20000
            num_inference_steps: 20
            stages: [sample, invert]
            """);
        // It is still running when it is looked at: work waits.
        var id = (await cluster.RunClientAsync(
            s_limit, "run", "sweep.yaml", "--cluster", TestCluster.Name, "--out", "out", "--detach")).Trim();

        // Those of a GPU need one.
        var wanted = MonitoringFiles.ExportedMetrics().Where(m => !m.StartsWith("taba_device_", StringComparison.Ordinal)).ToHashSet();
        IReadOnlySet<string> there = new HashSet<string>();
        using var limit = new CancellationTokenSource(s_limit);
        while (!wanted.IsSubsetOf(there) && !limit.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(500));
            there = await prometheus.NamesAsync();
        }
        await cluster.RunClientAsync(s_limit, "cancel", id, "--cluster", TestCluster.Name);

        Assert.Empty(wanted.Except(there));
        // The list, in turn, leaves out none of Taba's own but what times the making of a series.
        Assert.Empty(there.Where(n => n.StartsWith("taba_", StringComparison.Ordinal) && !n.EndsWith("_created", StringComparison.Ordinal))
            .Except(MonitoringFiles.ExportedMetrics()));
    }

    static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }
}

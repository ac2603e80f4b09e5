using System.Diagnostics;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Taba.Testing;
using Taba.Testing.Clusters;
using Taba.Testing.Commands;
using Taba.Testing.Servers;

namespace Taba.Cluster.Tests;

/// <summary>
/// The real command on real silos in processes of their own. What is done to larger runs is in <c>tests/chaos</c>
/// (docs/reliability.md).
/// </summary>
public sealed class ClusterRunTests
{
    const int Samples = 40;

    const string Demo = """
        name: disturbed
        model: demo
        samples: 40
        seed: 420
        num_inference_steps: 10
        deterministic: true
        stages: [sample, invert]
        interventions:
          - forward: { before: 3, seed: 999 }
        """;

    [Fact]
    public async Task Run_SiloKilledAndAnotherDrained_FilesOfAnUndisturbedRun()
    {
        Required.Here(PostgresServer.Missing);
        await using var bench = await ClusterBench.OnPostgresAsync(Demo);
        var cluster = bench.Cluster;
        cluster.Settings["Taba__Engine__CheckpointEverySteps"] = "2";
        await cluster.StartSiloAsync("w1");
        await cluster.StartSiloAsync("w2");
        await using var log = new EvaluationLog(cluster.Journals);
        var client = bench.Start("run", "sweep.yaml", "--out", "out");

        await ClusterBench.ReachAsync(log, 200);
        cluster.Silos["w1"].Kill();
        cluster.BeginSilo("w3");
        await ClusterBench.ReachAsync(log, 700);
        cluster.Silos["w2"].Terminate();
        Assert.Equal(0, (await cluster.Silos["w2"].EndAsync(ClusterBench.Limit)).Status);
        Assert.Contains("w2 left", cluster.Silos["w2"].Output, StringComparison.Ordinal);

        (await client.EndAsync(ClusterBench.Limit)).ShouldEnd(0);
        await bench.AssertFilesOfAnUndisturbedRunAsync(bench.At("out"));
        Assert.Empty(StoreManifests.Faults(cluster.StoreFolder));
        Assert.DoesNotContain(
            PostgresServer.Secret, string.Concat(cluster.Silos.Values.Select(s => s.Output + s.Errors)), StringComparison.Ordinal);
        // Nothing but what the killed silo had not made durable was evaluated again.
        Assert.InRange(LongestRepetition(log), 0, 2);
    }

    [Fact]
    public async Task Run_OnRedis_FilesOfAnEmbeddedRun()
    {
        Required.Here(RedisServer.Missing);
        await using var bench = await ClusterBench.OnRedisAsync(ClusterBench.Smooth(Samples));
        await bench.Cluster.StartSiloAsync("w1");
        await bench.Cluster.StartSiloAsync("w2");
        await bench.DoneAsync("run", bench.Sweep, "--out", bench.At("out"));
        await bench.AssertFilesOfAnUndisturbedRunAsync(bench.At("out"));
    }

    [Fact]
    public async Task Run_OnAzureAloneAndSiloKilled_FilesOfAnUndisturbedRun()
    {
        Required.Here(AzuriteServer.Missing);
        await using var bench = await ClusterBench.OnAzureAsync(Demo);
        var cluster = bench.Cluster;
        cluster.Settings["Taba__Engine__CheckpointEverySteps"] = "2";
        await Task.WhenAll(cluster.StartSiloAsync("w1"), cluster.StartSiloAsync("w2"));
        await using var log = new EvaluationLog(cluster.Journals);
        var client = bench.Start("run", "sweep.yaml", "--out", "out");

        await ClusterBench.ReachAsync(log, 200);
        cluster.Silos["w1"].Kill();
        cluster.BeginSilo("w3");

        (await client.EndAsync(ClusterBench.Limit)).ShouldEnd(0);
        await bench.AssertFilesOfAnUndisturbedRunAsync(bench.At("out"));
        Assert.InRange(LongestRepetition(log), 0, 2);
        Assert.Contains(log.Seen, e => e.Silo == "w2");
        Assert.False(Directory.Exists(cluster.StoreFolder));
        await AssertEverythingIsInAsync(cluster.Azurite!);
        Assert.DoesNotContain(
            AzuriteServer.Secret, string.Concat(cluster.Silos.Values.Select(s => s.Output + s.Errors)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_EverythingInBlobsAndSiloKilled_AnotherGoesOnAtItsCheckpoints()
    {
        Required.Here(PostgresServer.Missing, AzuriteServer.Missing);
        await using var bench = await ClusterBench.OnPostgresAsync(Demo, azurite: true);
        var cluster = bench.Cluster;
        cluster.Settings[$"Taba__Clusters__{TestCluster.Name}__GrainState"] = "azure:taba-state";
        cluster.Settings["Taba__Engine__CheckpointEverySteps"] = "2";
        await cluster.StartSiloAsync("w1");
        await using var log = new EvaluationLog(cluster.Journals);
        var client = bench.Start("run", "sweep.yaml", "--out", "out");

        await ClusterBench.ReachAsync(log, 200);
        cluster.Silos["w1"].Kill();
        cluster.BeginSilo("w2");

        (await client.EndAsync(ClusterBench.Limit)).ShouldEnd(0);
        await bench.AssertFilesOfAnUndisturbedRunAsync(bench.At("out"));
        Assert.InRange(LongestRepetition(log), 0, 2);
        // The other one did go on: samples that it began had steps before.
        var begun = log.Seen.Where(e => e.Silo == "w1").Select(e => (e.Stage, e.Sample)).ToHashSet();
        Assert.Contains(log.Seen.Where(e => e.Silo == "w2").DistinctBy(e => (e.Stage, e.Sample)), e => begun.Contains((e.Stage, e.Sample)));
    }

    [Fact]
    public async Task Run_OutIntoBlobsOfAClusterOnAFolder_IsRefused()
    {
        Required.Here(PostgresServer.Missing);
        await using var bench = await ClusterBench.OnPostgresAsync(ClusterBench.Smooth(1));
        var refused = (await bench.RunAsync("run", bench.Sweep, "--out", "blob:june")).ShouldEnd(2);
        Assert.Contains("is a folder", refused.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(bench.Cluster.StoreFolder));
    }

    [Fact]
    public async Task Run_TheOnlySiloHasAnotherModel_IsSaidAndGoesOnWhenItHasTheRightOne()
    {
        Required.Here(PostgresServer.Missing);
        await using var bench = await ClusterBench.OnPostgresAsync(ClusterBench.Smooth(20_000));
        await bench.Cluster.StartSiloAsync("c1", "coordinator");
        await bench.Cluster.StartSiloAsync("w1");
        var id = (await bench.DoneAsync("run", bench.Sweep, "--detach")).Trim();
        bench.Cluster.Silos["w1"].Kill();
        TinyModels.Gaussian(bench.Model, deviation: 0.25);
        await bench.Cluster.StartSiloAsync("w2");

        var status = await StatusAsync(s => s.Contains("no silo can serve the model", StringComparison.Ordinal));
        Assert.Contains("silo w2 does not work on it: The sweep's model", status, StringComparison.Ordinal);
        // The sweep lives: it has a rate, which nobody knows, and not the word of an end.
        Assert.Contains("rate unknown", status, StringComparison.Ordinal);

        TinyModels.Gaussian(bench.Model);
        await StatusAsync(
            s => !s.Contains("does not work on it", StringComparison.Ordinal) && s.Contains("running", StringComparison.Ordinal));
        Assert.Contains("cancelled", await bench.DoneAsync("cancel", id), StringComparison.Ordinal);

        async Task<string> StatusAsync(Func<string, bool> isSo)
        {
            var clock = Stopwatch.StartNew();
            while (true)
            {
                var status = await bench.DoneAsync("status", id);
                if (isSo(status))
                    return status;
                Assert.True(clock.Elapsed < ClusterBench.Limit, status);
            }
        }
    }

    [Fact]
    public async Task Silo_NoServer_SaysSoAndEnds()
    {
        Required.Here(PostgresServer.Missing);
        await using var bench = await ClusterBench.OnPostgresAsync(ClusterBench.Smooth(1));
        await bench.Cluster.Postgres.StopAsync();
        var ended = await bench.Cluster.BeginSilo("w1").EndAsync(ClusterBench.Limit);
        Assert.Equal(3, ended.Status);
        Assert.Contains("PostgreSQL cannot be used", ended.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(PostgresServer.Secret, ended.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SiloAndClient_NoAccount_SaySoAndEnd()
    {
        Required.Here(AzuriteServer.Missing);
        await using var bench = await ClusterBench.OnAzureAsync(ClusterBench.Smooth(1));
        await bench.Cluster.Azurite!.StopAsync();
        var silo = bench.Cluster.BeginSilo("w1").EndAsync(ClusterBench.Limit);
        var run = (await bench.RunAsync("run", bench.Sweep, "--out", bench.At("out"))).ShouldEnd(3);
        var doctor = (await bench.RunAsync("doctor")).ShouldEnd(3);
        var ended = await silo;
        Assert.Equal(3, ended.Status);
        foreach (var said in new[] { ended.Errors, run.Errors, doctor.Output })
        {
            Assert.Contains("cannot use the tables of http://127.0.0.1", said, StringComparison.Ordinal);
            Assert.DoesNotContain(AzuriteServer.Secret, said, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Silo_OfAnUnknownCluster_SaysSoAndEnds()
    {
        using var folder = new TempFolder();
        using var silo = ProgramProcess.Start("silo", Programs.Silo, folder.Path, [], ["--cluster", "nowhere"]);
        var ended = await silo.EndAsync(ClusterBench.Limit);
        Assert.Equal(2, ended.Status);
        Assert.Contains("Taba:Clusters:nowhere", ended.Errors, StringComparison.Ordinal);
    }

    static async Task AssertEverythingIsInAsync(AzuriteServer server)
    {
        var members = new TableClient(server.ConnectionString, "TabaMembers")
            .QueryAsync<TableEntity>($"PartitionKey eq '{TestCluster.Name}'");
        Assert.Superset(
            new HashSet<string>(["w1", "w2"]), await members.Select(m => m.GetString("SiloName")).OfType<string>().ToHashSetAsync());
        var container = new BlobContainerClient(server.ConnectionString, "taba");
        var states = await container.GetBlobsAsync(new GetBlobsOptions { Prefix = "grains/taba/" }).Select(b => b.Name).ToListAsync();
        // A sweep, its stages, the index: in Orleans' own form, not in the provider's JSON.
        Assert.True(states.Count > 3, string.Join(' ', states));
        foreach (var state in states)
            Assert.NotEqual((byte)'{', (await container.GetBlobClient(state).DownloadContentAsync()).Value.Content.ToArray()[0]);
    }

    /// <summary>Steps of one sample that were evaluated again in a row.</summary>
    static int LongestRepetition(EvaluationLog log) =>
        log.Seen.GroupBy(e => (e.Stage, e.Sample)).Max(s => s.Zip(s.Skip(1)).Max(p => p.First.Step - p.Second.Step + 1));
}

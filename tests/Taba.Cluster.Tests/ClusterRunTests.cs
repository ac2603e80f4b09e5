using System.Text.Json;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Taba.Silo.Storage;
using Taba.Testing;
using Taba.Testing.Clusters;
using Taba.Testing.Servers;

namespace Taba.Cluster.Tests;

/// <summary>The real command on real silos in processes of their own. What is done to larger runs is in <c>tests/chaos</c> (docs/reliability.md).</summary>
public sealed class ClusterRunTests
{
    const int Samples = 40;

    const string Gaussian = """
        { "family": "gaussian", "image_size": 16, "channels": 3, "mean": 0.1, "deviation": 0.5,
          "diffusion_steps": 1000, "noise_schedule": "linear", "rescale_timesteps": false }
        """;

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

    static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    static string Smooth(int samples, string more = "") => $"""
        name: smooth
        model: gaussian.json
        samples: {samples}
        num_inference_steps: 20
        stages: [sample, invert, reconstruct]
        {more}
        """;

    [Fact]
    public async Task Run_SiloKilledAndAnotherDrained_FilesOfAnUndisturbedRun()
    {
        Require(PostgresServer.Missing);
        await using var cluster = await NewAsync(await TestCluster.StartAsync(), Demo);
        cluster.Settings["Taba__Engine__CheckpointEverySteps"] = "2";
        await cluster.StartSiloAsync("w1");
        await cluster.StartSiloAsync("w2");
        await using var log = new EvaluationLog(cluster.Journals);
        var client = Start(cluster, "run", "sweep.yaml", "--out", "out");

        await ReachAsync(log, 200);
        cluster.Silos["w1"].Kill();
        cluster.BeginSilo("w3");
        await ReachAsync(log, 700);
        cluster.Silos["w2"].Terminate();
        Assert.Equal(0, await cluster.Silos["w2"].EndAsync(Limit));
        Assert.Contains("w2 left", cluster.Silos["w2"].Output, StringComparison.Ordinal);

        Assert.True(await client.EndAsync(Limit) == 0, client.Errors);
        await cluster.RunClientAsync(Limit, "run", "sweep.yaml", "--out", "alone", "--device", "cpu");
        Assert.Empty(SweepFiles.Differences(SweepFiles.Digests(Path.Combine(cluster.Folder, "alone")), SweepFiles.Digests(Path.Combine(cluster.Folder, "out"))));
        Assert.Empty(StoreManifests.Faults(cluster.StoreFolder));
        Assert.DoesNotContain(PostgresServer.Secret, string.Concat(cluster.Silos.Values.Select(s => s.Output + s.Errors)), StringComparison.Ordinal);
        // Nothing but what the killed silo had not made durable was evaluated again.
        Assert.InRange(LongestRepetition(log), 0, 2);
    }

    [Fact]
    public async Task Commands_SteerASweep()
    {
        Require(PostgresServer.Missing);
        await using var cluster = await NewAsync(await TestCluster.StartAsync(), Smooth(Samples));
        await cluster.StartSiloAsync("c1", "coordinator");
        await cluster.StartSiloAsync("w1");

        Assert.Contains("No sweeps", await RunAsync(cluster, "list"), StringComparison.Ordinal);
        var doctor = await RunAsync(cluster, "doctor");
        Assert.Contains("ok    silos      2 (", doctor, StringComparison.Ordinal);
        Assert.Contains("c1 coordinates", doctor, StringComparison.Ordinal);
        Assert.Contains("ok    store ", doctor, StringComparison.Ordinal);
        Assert.DoesNotContain(PostgresServer.Secret, doctor, StringComparison.Ordinal);
        var silos = await RunAsync(cluster, "status");
        Assert.Contains("coordinator", silos, StringComparison.Ordinal);
        var id = (await RunAsync(cluster, "run", "sweep.yaml", "--detach", "--priority", "3")).Trim();
        Assert.Contains("completed", await RunAsync(cluster, "watch", id), StringComparison.Ordinal);
        var listed = JsonDocument.Parse((await RunAsync(cluster, "list", "--json")).Trim()).RootElement;
        Assert.Equal((id, "completed", 3), (listed.GetProperty("id").GetString(), listed.GetProperty("state").GetString(), listed.GetProperty("priority").GetInt32()));
        Assert.Contains($"{Samples} of {Samples} rows", await RunAsync(cluster, "status", id[..6]), StringComparison.Ordinal);

        // A long one is paused, goes on, is cancelled, and tried again.
        await File.WriteAllTextAsync(Path.Combine(cluster.Folder, "long.yaml"), Smooth(20_000).Replace("smooth", "long", StringComparison.Ordinal));
        var other = (await RunAsync(cluster, "run", "long.yaml", "--detach")).Trim();
        Assert.Contains("paused", await RunAsync(cluster, "pause", "long"), StringComparison.Ordinal);
        Assert.Contains("running", await RunAsync(cluster, "resume", other), StringComparison.Ordinal);
        Assert.Contains("cancelled", await RunAsync(cluster, "cancel", other), StringComparison.Ordinal);
        Assert.Contains("running", await RunAsync(cluster, "retry", other), StringComparison.Ordinal);
        Assert.Contains("cancelled", await RunAsync(cluster, "cancel", other), StringComparison.Ordinal);

        var unknown = Start(cluster, "status", "nothing-of-that-name");
        Assert.Equal(2, await unknown.EndAsync(Limit));
        Assert.Contains("has no sweep 'nothing-of-that-name'", unknown.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_OnRedis_FilesOfAnEmbeddedRun()
    {
        Require(RedisServer.Missing);
        await using var cluster = await NewAsync(await TestCluster.StartOnRedisAsync(), Smooth(Samples));
        await cluster.StartSiloAsync("w1");
        await cluster.StartSiloAsync("w2");
        await RunAsync(cluster, "run", "sweep.yaml", "--out", "out");
        await cluster.RunClientAsync(Limit, "run", "sweep.yaml", "--out", "alone", "--device", "cpu");
        Assert.Empty(SweepFiles.Differences(SweepFiles.Digests(Path.Combine(cluster.Folder, "alone")), SweepFiles.Digests(Path.Combine(cluster.Folder, "out"))));
    }

    [Fact]
    public async Task Run_EverythingInBlobsAndSiloKilled_AnotherGoesOnAtItsCheckpoints()
    {
        Require(PostgresServer.Missing);
        Require(AzuriteServer.Missing);
        await using var cluster = await NewAsync(await TestCluster.StartAsync(azurite: true), Demo);
        cluster.Settings[$"Taba__Clusters__{TestCluster.Name}__GrainState"] = "azure:taba-state";
        cluster.Settings["Taba__Engine__CheckpointEverySteps"] = "2";
        await cluster.StartSiloAsync("w1");
        await using var log = new EvaluationLog(cluster.Journals);
        var client = Start(cluster, "run", "sweep.yaml", "--out", "out");

        await ReachAsync(log, 200);
        cluster.Silos["w1"].Kill();
        cluster.BeginSilo("w2");

        Assert.True(await client.EndAsync(Limit) == 0, client.Errors);
        await cluster.RunClientAsync(Limit, "run", "sweep.yaml", "--out", "alone", "--device", "cpu");
        Assert.Empty(SweepFiles.Differences(SweepFiles.Digests(Path.Combine(cluster.Folder, "alone")), SweepFiles.Digests(Path.Combine(cluster.Folder, "out"))));
        Assert.InRange(LongestRepetition(log), 0, 2);
        // The other one did go on: samples that it began had steps before.
        var begun = log.Seen.Where(e => e.Silo == "w1").Select(e => (e.Stage, e.Sample)).ToHashSet();
        Assert.Contains(log.Seen.Where(e => e.Silo == "w2").DistinctBy(e => (e.Stage, e.Sample)), e => begun.Contains((e.Stage, e.Sample)));
    }

    [Fact]
    public async Task Run_OutIntoBlobs_FoldersOfADiskAndNothingHere()
    {
        Require(PostgresServer.Missing);
        Require(AzuriteServer.Missing);
        await using var cluster = await NewAsync(
            await TestCluster.StartAsync(azurite: true), Smooth(Samples, "interventions: [{ forward: { before: 3, seed: 999 } }]"));
        cluster.Settings["TMPDIR"] = Path.Combine(cluster.Folder, "temporary");
        Directory.CreateDirectory(cluster.Settings["TMPDIR"]);
        await cluster.StartSiloAsync("w1");

        var said = await RunAsync(cluster, "run", "sweep.yaml", "--out", "blob:june");

        var container = BlobContainers.Open("taba", cluster.Azurite!.ConnectionString, null);
        var folder = $"{container.Uri}/runs/june/smooth";
        var lines = said.Trim().Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => Assert.StartsWith(folder, line, StringComparison.Ordinal));
        Assert.Equal($"{folder}/report.html", lines[^1]);
        var here = Directory.EnumerateFiles(cluster.Folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(cluster.Folder, f)).ToList();
        Assert.DoesNotContain(here, f => f.EndsWith(".safetensors", StringComparison.Ordinal) || f.StartsWith("blob", StringComparison.Ordinal));
        var scratch = Path.Combine(Assert.Single(Directory.GetDirectories(cluster.Settings["TMPDIR"], "taba-*")), $"{TestCluster.Name}-client");
        Assert.Empty(Directory.EnumerateDirectories(scratch, "copies", SearchOption.AllDirectories));

        // The files of a run on a disk, and what lies beside them.
        await cluster.RunClientAsync(Limit, "run", "sweep.yaml", "--out", "alone", "--device", "cpu");
        var blobs = await DownloadAsync(container, "runs/june/", Path.Combine(cluster.Folder, "downloaded"));
        Assert.Empty(SweepFiles.Differences(SweepFiles.Digests(Path.Combine(cluster.Folder, "alone")), SweepFiles.Digests(Path.Combine(cluster.Folder, "downloaded"))));
        Assert.Equal(
            Directory.EnumerateFiles(Path.Combine(cluster.Folder, "alone", "smooth"), "*", SearchOption.AllDirectories)
                .Select(f => Path.GetRelativePath(Path.Combine(cluster.Folder, "alone"), f)).Order(StringComparer.Ordinal),
            blobs.Keys.Order(StringComparer.Ordinal));

        // The same command again leaves the run folders as they are; another run does not fit into them.
        await RunAsync(cluster, "run", "sweep.yaml", "--out", "blob:june");
        var again = await DownloadAsync(container, "runs/june/", Path.Combine(cluster.Folder, "again"));
        Assert.Equal(RunFiles(blobs), RunFiles(again));
        var flat = Start(cluster, "sample", "gaussian", "--model", "gaussian.json", "--n_samples", "8", "--num_inference_steps", "10", "--save_dir", "blob:june/flat");
        Assert.True(await flat.EndAsync(Limit) == 0, flat.Errors);
        var conflict = Start(cluster, "sample", "gaussian", "--model", "gaussian.json", "--n_samples", "8", "--num_inference_steps", "20", "--save_dir", "blob:june/flat");
        Assert.Equal(2, await conflict.EndAsync(Limit));
        Assert.Contains("runs/june/flat holds another run", conflict.Errors, StringComparison.Ordinal);
        var hostile = Start(cluster, "run", "sweep.yaml", "--out", "blob:../store");
        Assert.Equal(2, await hostile.EndAsync(Limit));
        Assert.DoesNotContain(AzuriteServer.Secret, said + conflict.Errors + hostile.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_OutIntoBlobsOfAClusterOnAFolder_IsRefused()
    {
        Require(PostgresServer.Missing);
        await using var cluster = await NewAsync(await TestCluster.StartAsync(), Smooth(1));
        var refused = Start(cluster, "run", "sweep.yaml", "--out", "blob:june");
        Assert.Equal(2, await refused.EndAsync(Limit));
        Assert.Contains("is a folder", refused.Errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(cluster.StoreFolder));
    }

    [Fact]
    public async Task Run_TheOnlySiloHasAnotherModel_IsSaidAndGoesOnWhenItHasTheRightOne()
    {
        Require(PostgresServer.Missing);
        await using var cluster = await NewAsync(await TestCluster.StartAsync(), Smooth(20_000));
        await cluster.StartSiloAsync("c1", "coordinator");
        await cluster.StartSiloAsync("w1");
        var id = (await RunAsync(cluster, "run", "sweep.yaml", "--detach")).Trim();
        cluster.Silos["w1"].Kill();
        var model = Path.Combine(cluster.Folder, "gaussian.json");
        await File.WriteAllTextAsync(model, Gaussian.Replace("0.5", "0.25", StringComparison.Ordinal));
        await cluster.StartSiloAsync("w2");

        var status = await StatusAsync(s => s.Contains("no silo can serve the model", StringComparison.Ordinal));
        Assert.Contains("silo w2 does not work on it: The sweep's model", status, StringComparison.Ordinal);
        Assert.Contains(": running,", status, StringComparison.Ordinal);

        await File.WriteAllTextAsync(model, Gaussian);
        await StatusAsync(s => !s.Contains("does not work on it", StringComparison.Ordinal) && s.Contains("parts out", StringComparison.Ordinal));
        Assert.Contains("cancelled", await RunAsync(cluster, "cancel", id), StringComparison.Ordinal);

        async Task<string> StatusAsync(Func<string, bool> isSo)
        {
            var clock = System.Diagnostics.Stopwatch.StartNew();
            while (true)
            {
                var status = await RunAsync(cluster, "status", id);
                if (isSo(status))
                    return status;
                Assert.True(clock.Elapsed < Limit, status);
            }
        }
    }

    [Fact]
    public async Task Silo_BadSettingsOrNoServer_SaysSoAndEnds()
    {
        Require(PostgresServer.Missing);
        await using var cluster = await NewAsync(await TestCluster.StartAsync(), Smooth(1));
        await cluster.Postgres.StopAsync();
        var silo = cluster.BeginSilo("w1");
        Assert.Equal(3, await silo.EndAsync(Limit));
        Assert.Contains("PostgreSQL cannot be used", silo.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(PostgresServer.Secret, silo.Errors, StringComparison.Ordinal);

        var bad = ClusterProcess.Start("bad", "Taba.Silo.dll", cluster.Folder, [], ["--cluster", "nowhere"]);
        Assert.Equal(2, await bad.EndAsync(Limit));
        Assert.Contains("Taba:Clusters:nowhere", bad.Errors, StringComparison.Ordinal);
    }

    static void Require(string? missing)
    {
        if (missing is not null)
            Assert.Skip(missing);
    }

    static async Task<TestCluster> NewAsync(TestCluster cluster, string sweep)
    {
        await File.WriteAllTextAsync(Path.Combine(cluster.Folder, "gaussian.json"), Gaussian);
        await File.WriteAllTextAsync(Path.Combine(cluster.Folder, "sweep.yaml"), sweep);
        return cluster;
    }

    static ClusterProcess Start(TestCluster cluster, params string[] arguments) => cluster.StartClient([.. arguments, "--cluster", TestCluster.Name]);

    static Task<string> RunAsync(TestCluster cluster, params string[] arguments) => cluster.RunClientAsync(Limit, [.. arguments, "--cluster", TestCluster.Name]);

    /// <summary>Fetches blobs; their versions by relative path.</summary>
    static async Task<Dictionary<string, ETag?>> DownloadAsync(BlobContainerClient container, string prefix, string folder)
    {
        var versions = new Dictionary<string, ETag?>();
        await foreach (var blob in container.GetBlobsAsync(new GetBlobsOptions { Prefix = prefix }))
        {
            var name = blob.Name[prefix.Length..];
            versions[name] = blob.Properties.ETag;
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, name))!);
            await container.GetBlobClient(blob.Name).DownloadToAsync(Path.Combine(folder, name));
        }
        return versions;
    }

    /// <summary>Without what the report writes.</summary>
    static List<KeyValuePair<string, ETag?>> RunFiles(Dictionary<string, ETag?> files) =>
        [.. files.Where(f => Path.GetExtension(f.Key) is ".safetensors" or ".json").OrderBy(f => f.Key, StringComparer.Ordinal)];

    /// <summary>Steps of one sample that were evaluated again in a row.</summary>
    static int LongestRepetition(EvaluationLog log) => log.Seen.GroupBy(e => (e.Stage, e.Sample)).Max(s => s.Zip(s.Skip(1)).Max(p => p.First.Step - p.Second.Step + 1));

    static async Task ReachAsync(EvaluationLog log, int evaluations)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        while (log.Count < evaluations)
        {
            Assert.True(clock.Elapsed < Limit, $"only {log.Count} of {evaluations} evaluations were made");
            await Task.Delay(50);
        }
    }
}

using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Testing;
using Taba.Testing.Clusters;
using Taba.Testing.Commands;
using Taba.Testing.Servers;

namespace Taba.Cluster.Tests;

/// <summary>Run folders as blobs beside a cluster's tensors (--out blob:PREFIX).</summary>
public sealed class BlobOutputTests(BlobOutputTests.Written written) : IClassFixture<BlobOutputTests.Written>
{
    const int Samples = 40;

    ClusterBench Bench
    {
        get
        {
            Required.Here(PostgresServer.Missing, AzuriteServer.Missing);
            return written.Bench!;
        }
    }

    [Fact]
    public void Run_OutIntoBlobs_SaysTheirAddressesAndNoSecret()
    {
        var folder = $"{Container(Bench).Uri}/runs/june/smooth";
        var lines = written.Said.Trim().Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.All(lines, line => Assert.StartsWith(folder, line, StringComparison.Ordinal));
        Assert.Equal($"{folder}/report.html", lines[^1]);
        Assert.DoesNotContain(AzuriteServer.Secret, written.Said, StringComparison.Ordinal);
    }

    [Fact]
    public void Run_OutIntoBlobs_LeavesNothingOnThisMachine()
    {
        var temporary = Bench.Cluster.Settings["TMPDIR"];
        Assert.DoesNotContain(
            written.FilesHere, f => f.EndsWith(".safetensors", StringComparison.Ordinal) || f.StartsWith("blob", StringComparison.Ordinal));
        var scratch = Path.Combine(Assert.Single(Directory.GetDirectories(temporary, "taba-*")), $"{TestCluster.Name}-client");
        Assert.Empty(Directory.EnumerateDirectories(scratch, "copies", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Run_OutIntoBlobs_FilesOfARunOnADisk()
    {
        var blobs = await DownloadAsync(Bench, "downloaded");
        await Bench.AssertFilesOfAnUndisturbedRunAsync(Bench.At("downloaded"));
        Assert.Equal(
            Directory.EnumerateFiles(Path.Combine(Bench.Alone, "smooth"), "*", SearchOption.AllDirectories)
                .Select(f => Path.GetRelativePath(Bench.Alone, f)).Order(StringComparer.Ordinal),
            blobs.Keys.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Run_OutIntoBlobsAgain_LeavesTheRunFoldersAsTheyAre()
    {
        var before = await DownloadAsync(Bench, "before");
        await Bench.DoneAsync("run", Bench.Sweep, "--out", "blob:june");
        Assert.NotEmpty(RunFiles(before));
        Assert.Equal(RunFiles(before), RunFiles(await DownloadAsync(Bench, "again")));
    }

    [Fact]
    public async Task Sample_IntoBlobsOfAnotherRun_IsRefused()
    {
        string[] sample =
            ["sample", "gaussian", "--model", Bench.Model, "--n_samples", "8", "--save_dir", "blob:flat/run", "--num_inference_steps"];
        await Bench.DoneAsync([.. sample, "10"]);
        AssertRefused(await Bench.RunAsync([.. sample, "20"]), "runs/flat/run holds another run");
    }

    [Fact]
    public async Task Run_OutIntoBlobsOfTheStore_IsRefused() =>
        AssertRefused(await Bench.RunAsync("run", Bench.Sweep, "--out", "blob:../store"), "is not a place for blobs");

    static void AssertRefused(CommandResult ended, string sentence)
    {
        Assert.Contains(sentence, ended.ShouldEnd(2).Errors, StringComparison.Ordinal);
        Assert.DoesNotContain(AzuriteServer.Secret, ended.Errors, StringComparison.Ordinal);
    }

    static BlobContainerClient Container(ClusterBench bench) => BlobContainers.Open("taba", bench.Cluster.Azurite!.ConnectionString, null);

    /// <summary>Fetches the sweep's blobs into a folder of the bench; their versions by relative path.</summary>
    static async Task<Dictionary<string, ETag?>> DownloadAsync(ClusterBench bench, string folder)
    {
        const string Prefix = "runs/june/";
        var container = Container(bench);
        var versions = new Dictionary<string, ETag?>();
        await foreach (var blob in container.GetBlobsAsync(new GetBlobsOptions { Prefix = Prefix }))
        {
            var name = blob.Name[Prefix.Length..];
            var path = bench.At(folder, name);
            versions[name] = blob.Properties.ETag;
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await container.GetBlobClient(blob.Name).DownloadToAsync(path);
        }
        return versions;
    }

    /// <summary>Without what the report writes.</summary>
    static List<KeyValuePair<string, ETag?>> RunFiles(Dictionary<string, ETag?> files) =>
        [.. files.Where(f => Path.GetExtension(f.Key) is ".safetensors" or ".json").OrderBy(f => f.Key, StringComparer.Ordinal)];

    /// <summary>A worker, and a sweep that it wrote into blobs.</summary>
    public sealed class Written : IAsyncLifetime
    {
        internal ClusterBench? Bench { get; private set; }

        public string Said { get; private set; } = "";

        /// <summary>The files of the client's machine, by relative path, when the sweep was written.</summary>
        public IReadOnlyList<string> FilesHere { get; private set; } = [];

        public async ValueTask InitializeAsync()
        {
            if ((PostgresServer.Missing ?? AzuriteServer.Missing) is not null)
                return;
            Bench = await ClusterBench.OnPostgresAsync(
                ClusterBench.Smooth(Samples, "interventions: [{ forward: { before: 3, seed: 999 } }]"), azurite: true);
            var folder = Bench.Cluster.Folder;
            Bench.Cluster.Settings["TMPDIR"] = Directory.CreateDirectory(Bench.At("temporary")).FullName;
            await Bench.Cluster.StartSiloAsync("w1");
            Said = await Bench.DoneAsync("run", Bench.Sweep, "--out", "blob:june");
            FilesHere =
                [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f))];
        }

        public async ValueTask DisposeAsync()
        {
            if (Bench is not null)
                await Bench.DisposeAsync();
        }
    }
}

using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Taba.Testing.Clusters;
using Taba.Testing.Servers;

namespace Taba.Cluster.Tests;

/// <summary>What becomes of a sweep whose inputs were damaged in the store: nobody does anything about it.</summary>
public sealed class DamageTests
{
    const string Sweep = """
        name: damaged
        model: gaussian.json
        samples: 96
        num_inference_steps: 10
        deterministic: true
        stages: [sample, invert]
        """;

    [Fact]
    public async Task Run_BitFlippedObjectGoneAndCellTruncatedInAzure_MendsItselfAndFilesAreThoseOfAnUndisturbedRun()
    {
        Required.Here(AzuriteServer.Missing);
        await using var bench = await ClusterBench.OnAzureAsync(Sweep);
        await bench.Cluster.StartSiloAsync("w1");
        await bench.DoneAsync("run", bench.Sweep, "stages=[sample]", "--out", bench.At("first"));
        // Another silo has no results in memory: it reads its inputs.
        bench.Cluster.Silos["w1"].Kill();
        var container = new BlobContainerClient(bench.Cluster.Azurite!.ConnectionString, "taba");
        var names = await container.GetBlobsAsync(new GetBlobsOptions { Prefix = "stages/" }).Select(b => b.Name).ToListAsync();
        var objects = names.Where(n => n.EndsWith(".safetensors", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(3, objects.Count);
        await ChangeAsync(container, objects[0], bytes => bytes[^5] ^= 1);
        await container.DeleteBlobAsync(objects[1]);
        await ChangeAsync(
            container, names.Single(n => n.EndsWith("cells/0000000064/v00000001.json", StringComparison.Ordinal)),
            bytes => Array.Clear(bytes, bytes.Length / 2, bytes.Length / 2));

        await bench.Cluster.StartSiloAsync("w2");
        await bench.DoneAsync("run", bench.Sweep, "--out", bench.At("out"));

        await bench.AssertFilesOfAnUndisturbedRunAsync(bench.At("out"));
        (await bench.RunAsync("store", "verify")).ShouldEnd(0);
        var said = bench.Cluster.Silos["w2"].Errors;
        Assert.Contains($"{objects[0]} does not have the digest", said, StringComparison.Ordinal);
        Assert.Contains($"{objects[1]} is gone", said, StringComparison.Ordinal);
        Assert.Contains("cells/0000000064/v00000001.json is damaged", said, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_CellTruncatedBeforeTheFilesAreWritten_IsNamedByTheCommandThatMeetsIt()
    {
        Required.Here(AzuriteServer.Missing);
        await using var bench = await ClusterBench.OnAzureAsync(Sweep);
        await bench.Cluster.StartSiloAsync("w1");
        await bench.DoneAsync("run", bench.Sweep, "--out", bench.At("first"));
        var container = new BlobContainerClient(bench.Cluster.Azurite!.ConnectionString, "taba");
        // The silo has the rows in memory and reads nothing of it.
        var cell = await container.GetBlobsAsync(new GetBlobsOptions { Prefix = "stages/" }).Select(b => b.Name).FirstAsync(
            n => n.EndsWith("cells/0000000064/v00000001.json", StringComparison.Ordinal));
        await ChangeAsync(container, cell, bytes => Array.Clear(bytes, bytes.Length / 2, bytes.Length / 2));

        var again = (await bench.RunAsync("run", bench.Sweep, "--out", bench.At("out"))).ShouldEnd(0);

        Assert.Contains($"{cell} is damaged, and what can be read of it counts", again.Errors, StringComparison.Ordinal);
        Assert.Contains("are computed again", again.Errors, StringComparison.Ordinal);
        await bench.AssertFilesOfAnUndisturbedRunAsync(bench.At("out"));
    }

    static async Task ChangeAsync(BlobContainerClient container, string name, Action<byte[]> change)
    {
        var bytes = (await container.GetBlobClient(name).DownloadContentAsync()).Value.Content.ToArray();
        change(bytes);
        await container.GetBlobClient(name).UploadAsync(new BinaryData(bytes), overwrite: true);
    }
}

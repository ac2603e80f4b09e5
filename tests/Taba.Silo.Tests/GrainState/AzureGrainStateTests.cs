using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Microsoft.Extensions.Logging.Abstractions;
using Orleans;
using Orleans.Configuration;
using Orleans.Runtime;
using Orleans.Storage;
using Taba.Grains.Stages;
using Taba.Silo.Clusters;
using Taba.Storage.Objects;
using Taba.Testing;
using Taba.Testing.Stores;

namespace Taba.Silo.Tests.GrainState;

/// <summary>The provider of Orleans as a cluster uses it, over a real container of Azurite.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class AzureGrainStateTests(BlobServer server) : GrainStorageSuite, IAsyncLifetime
{
    BlobContainerClient _container = null!;

    public async ValueTask InitializeAsync() => _container = await server.ContainerAsync();

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    protected override IGrainStorage OpenStorage() => Open();

    AzureBlobGrainStorage Open(BlobContainerClient? container = null, string service = "taba")
    {
        var options = new AzureBlobStorageOptions();
        AzureGrainState.Configure(options, container ?? _container, service, Serializer);
        var containers = options.BuildContainerFactory(null!, options);
        return new("grains", options, containers, Activators, NullLogger<AzureBlobGrainStorage>.Instance);
    }

    [Fact]
    public async Task Names_OfHostileKeysAndOtherServices_AreApart()
    {
        var storage = Open();
        string[] keys = ["a/b", "a%2Fb", "..", ".", "../../x", "ü ?#&", "a.", "A"];
        for (var i = 0; i < keys.Length; i++)
            await storage.WriteStateAsync("s", Id(keys[i]), State(i + 1));
        await Open(service: "other").WriteStateAsync("s", Id("A"), State(200));

        for (var i = 0; i < keys.Length; i++)
            Assert.Equal(i + 1, (await ReadAsync(Open(), keys[i])).State!.Epoch);
        Assert.Equal(200, (await ReadAsync(Open(service: "other"), "A")).State!.Epoch);
        Assert.False((await ReadAsync(storage, "a")).RecordExists);
        var names = await _container.GetBlobsAsync(new GetBlobsOptions()).Select(b => b.Name).ToListAsync();
        Assert.Equal(keys.Length + 1, names.Count);
        Assert.All(names, n => Assert.Matches(@"\Agrains/(taba|other)/[^/.]+\z", n));
    }

    [Fact]
    public async Task Write_StateBeyondTheLimitOfARow_IsReadBackWhole()
    {
        // A stage of which 30,000 samples failed: more than the 983,040 bytes that a row of a table takes.
        var failures = Enumerable.Range(0, 30_000).Select(i => new SampleFailure("0123456789abcdef", i, 7, $"NaN in step 7 of sample {i}"));
        var written = new GrainState<StageState> { State = new() { Quarantined = [.. failures] } };
        Assert.True(Serializer.Serialize(written.State).ToMemory().Length > 983_040);
        await Open().WriteStateAsync("s", Id("a"), written);
        var read = new GrainState<StageState>();
        await Open().ReadStateAsync("s", Id("a"), read);
        Assert.Equal(written.State!.Quarantined, read.State!.Quarantined);
    }

    [Fact]
    public async Task Write_AnswerLost_IsAConflictAndStored()
    {
        var faults = new FaultyRequests(await server.ConnectionStringAsync(), _container.Name) { LosesAnswers = true };
        // The SDK asks again and is told that its own first request won. The grain goes away and reads what is stored.
        await Assert.ThrowsAsync<InconsistentStateException>(() => Open(faults.Container).WriteStateAsync("s", Id("a"), State(1)));
        Assert.Equal(1, faults.Lost);
        Assert.Equal(1, (await ReadAsync(Open())).State!.Epoch);
    }

    [Fact]
    public async Task Write_NoContainer_MakesOne()
    {
        var container = BlobContainers.Open($"made-{Guid.NewGuid():N}", await server.ConnectionStringAsync(), null);
        await Open(container).WriteStateAsync("s", Id("a"), State(3));
        Assert.Equal(3, (await ReadAsync(Open(container))).State!.Epoch);
    }
}

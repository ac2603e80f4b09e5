using Azure.Storage.Blobs;
using Orleans;
using Orleans.Runtime;
using Orleans.Storage;
using Taba.Silo.GrainState;
using Taba.Storage.Objects;
using Taba.Testing.Stores;
using Taba.Testing;

namespace Taba.Silo.Tests.GrainState;

/// <summary>Grain state in a real container of Azurite.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class BlobGrainStorageTests(BlobServer server) : GrainStorageSuite, IAsyncLifetime
{
    BlobContainerClient _container = null!;

    public async ValueTask InitializeAsync() => _container = await server.ContainerAsync();

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    protected override IGrainStorage OpenStorage() => Open();

    BlobGrainStorage Open(BlobContainerClient? container = null, string service = "taba") =>
        new(container ?? _container, service, Serializer, Activators);

    [Fact]
    public async Task Clear_TwiceAndByOneWhoReadNothing_IsFine()
    {
        var storage = Open();
        var (mine, early) = (State(1), await ReadAsync(storage));
        await storage.WriteStateAsync("s", Id("a"), mine);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.ClearStateAsync("s", Id("a"), early));
        await storage.ClearStateAsync("s", Id("a"), mine);
        await storage.ClearStateAsync("s", Id("a"), mine);
        Assert.False((await ReadAsync(storage)).RecordExists);

        // Who read nothing before all this may clear what is cleared, and go on from there; but not write as if nothing had been.
        var stale = new GrainState<StoredExample> { State = new() { Epoch = 8 } };
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("s", Id("a"), stale));
        await storage.ClearStateAsync("s", Id("a"), early);
        early.State = new() { Epoch = 9 };
        await storage.WriteStateAsync("s", Id("a"), early);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("s", Id("a"), mine));
        Assert.Equal(9, (await ReadAsync(storage)).State!.Epoch);
    }

    [Fact]
    public async Task Names_OfHostileKeysAndOtherServices_AreApart()
    {
        var storage = Open();
        string[] keys = ["a/b", "a%2Fb", "..", ".", "../../x", "ü ?#&", "a.", "A"];
        for (var i = 0; i < keys.Length; i++)
            await storage.WriteStateAsync("s", Id(keys[i]), State(i + 1));
        await storage.WriteStateAsync("s/a", Id("b"), State(100));
        await Open(service: "other").WriteStateAsync("s", Id("A"), State(200));

        for (var i = 0; i < keys.Length; i++)
            Assert.Equal(i + 1, (await ReadAsync(Open(), keys[i])).State!.Epoch);
        Assert.Equal(100, (await ReadAsync(storage, "b", "s/a")).State!.Epoch);
        Assert.False((await ReadAsync(storage, "a")).RecordExists);
        var names = await _container.GetBlobsAsync(new Azure.Storage.Blobs.Models.GetBlobsOptions()).Select(b => b.Name).ToListAsync();
        Assert.Equal(keys.Length + 2, names.Count);
        Assert.All(names, n => Assert.Matches(@"\Agrains/[^/.]+/[^/.]+/[^/.]+\z", n));
    }

    [Fact]
    public async Task Write_AnswerLost_IsRecognisedAsOwn()
    {
        var faults = new FaultyRequests(await server.ConnectionStringAsync(), _container.Name) { LosesAnswers = true };
        var storage = Open(faults.Container);
        var state = State(1);
        await storage.WriteStateAsync("s", Id("a"), state);
        var tag = state.ETag;
        state.State = new() { Epoch = 2 };
        await storage.WriteStateAsync("s", Id("a"), state);

        Assert.Equal(2, faults.Lost);
        Assert.NotEqual(tag, state.ETag);
        var read = await ReadAsync(Open());
        Assert.Equal((2, state.ETag), (read.State!.Epoch, read.ETag));
    }

    [Fact]
    public async Task Write_NoContainer_SaysSo()
    {
        var nowhere = BlobContainers.Open("not-there", await server.ConnectionStringAsync(), null);
        var storage = Open(nowhere);
        foreach (var work in new[] { storage.WriteStateAsync("s", Id("a"), State(1)), storage.ReadStateAsync("s", Id("a"), State(1)) })
            Assert.Contains(
                "container is not there", (await Assert.ThrowsAsync<StoreException>(() => work)).Message, StringComparison.Ordinal);
    }
}

using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Taba.Testing.Stores;

/// <summary>What every store of grain state promises: our own, and one of Orleans with our settings.</summary>
public abstract class GrainStorageSuite : IDisposable
{
    protected TestFolder Folder { get; } = new();
    readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    public void Dispose()
    {
        _services.Dispose();
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    protected OrleansGrainStorageSerializer Serializer => new(_services.GetRequiredService<Serializer>());

    protected IActivatorProvider Activators => _services.GetRequiredService<IActivatorProvider>();

    /// <summary>The store over the test's place, as a silo that has just started would open it.</summary>
    protected abstract IGrainStorage OpenStorage();

    protected static GrainId Id(string key) => GrainId.Create("stage", key);

    protected static GrainState<StoredExample> State(int epoch) => new() { State = new() { Epoch = epoch } };

    protected static async Task<GrainState<StoredExample>> ReadAsync(IGrainStorage storage, string key = "a", string name = "s")
    {
        var state = new GrainState<StoredExample>();
        await storage.ReadStateAsync(name, Id(key), state);
        return state;
    }

    static async Task CloseAsync(IGrainStorage storage)
    {
        if (storage is IAsyncDisposable disposable)
            await disposable.DisposeAsync();
    }

    [Fact]
    public async Task Read_NeverWritten_IsANewStateWithoutETag()
    {
        var storage = OpenStorage();
        var state = await ReadAsync(storage);
        Assert.False(state.RecordExists);
        Assert.Null(state.ETag);
        Assert.Equal(new StoredExample().Epoch, state.State!.Epoch);
        Assert.True(state.State!.Published.IsEmpty);
        await CloseAsync(storage);
    }

    [Fact]
    public async Task Write_ThenReopen_IsReadBackWhole()
    {
        var written = State(7);
        written.State =
            written.State! with { Published = [new(CaptureSelection.None, RowSet.Of(new RowRange(0, 32), new RowRange(64, 96)))] };
        var storage = OpenStorage();
        await storage.WriteStateAsync("s", Id("a"), written);
        await CloseAsync(storage);

        var again = OpenStorage();
        var read = await ReadAsync(again);

        Assert.True(read.RecordExists);
        Assert.Equal(written.ETag, read.ETag);
        Assert.Equal(7, read.State!.Epoch);
        Assert.Equal(written.State!.Published[0].Rows, read.State!.Published[0].Rows);
        Assert.False((await ReadAsync(again, "b")).RecordExists);
        Assert.False((await ReadAsync(again, name: "t")).RecordExists);
        await CloseAsync(again);
    }

    [Fact]
    public async Task Write_StaleETag_IsInconsistentAndChangesNothing()
    {
        var storage = OpenStorage();
        var first = State(1);
        await storage.WriteStateAsync("s", Id("a"), first);
        var second = await ReadAsync(storage);
        second.State = new() { Epoch = 2 };
        await storage.WriteStateAsync("s", Id("a"), second);

        first.State = new() { Epoch = 3 };
        var conflict = await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("s", Id("a"), first));
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("s", Id("a"), State(4)));
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.ClearStateAsync("s", Id("a"), first));
        await Assert.ThrowsAsync<InconsistentStateException>(
            () => storage.WriteStateAsync("s", Id("a"), new GrainState<StoredExample> { State = new(), ETag = "no number" }));

        Assert.Equal(first.ETag, conflict.CurrentEtag);
        Assert.Equal(2, (await ReadAsync(storage)).State!.Epoch);
        await CloseAsync(storage);
    }

    [Fact]
    public async Task Clear_ThenWriteByAnEarlierReader_IsInconsistent()
    {
        var storage = OpenStorage();
        var mine = State(1);
        await storage.WriteStateAsync("s", Id("a"), mine);
        var stale = await ReadAsync(storage);

        await storage.ClearStateAsync("s", Id("a"), mine);
        Assert.False(mine.RecordExists);
        Assert.Equal(0, mine.State!.Epoch);
        var read = await ReadAsync(storage);
        Assert.False(read.RecordExists);
        Assert.Equal(mine.ETag, read.ETag);

        mine.State = new() { Epoch = 5 };
        await storage.WriteStateAsync("s", Id("a"), mine);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("s", Id("a"), stale));
        Assert.Equal(5, (await ReadAsync(storage)).State!.Epoch);
        await CloseAsync(storage);
    }

    [Fact]
    public async Task Clear_NothingThere_IsFine()
    {
        var storage = OpenStorage();
        var state = State(1);
        await storage.ClearStateAsync("s", Id("a"), state);
        Assert.False(state.RecordExists);
        await storage.WriteStateAsync("s", Id("a"), state);
        Assert.True(state.RecordExists);
        await CloseAsync(storage);
    }

    [Fact]
    public async Task Write_TwoActivationsAtOnce_ExactlyOneOfEachRoundIsStored()
    {
        var storage = OpenStorage();
        await storage.WriteStateAsync("s", Id("a"), State(0));
        for (var round = 0; round < 50; round++)
        {
            var both = new[] { await ReadAsync(storage), await ReadAsync(storage) };
            var stored = await Task.WhenAll(both.Select((state, who) => Task.Run(async () =>
            {
                state.State = new() { Epoch = round * 2 + who };
                try
                {
                    await storage.WriteStateAsync("s", Id("a"), state);
                    return true;
                }
                catch (InconsistentStateException)
                {
                    return false;
                }
            })));
            var winner = Array.IndexOf(stored, true);
            Assert.Single(stored, s => s);
            Assert.Equal(round * 2 + winner, (await ReadAsync(storage)).State!.Epoch);
        }
        await CloseAsync(storage);
    }
}

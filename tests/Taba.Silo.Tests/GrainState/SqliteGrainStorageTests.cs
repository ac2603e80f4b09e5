using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Runtime;
using Orleans.Serialization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;
using Taba.Grains.Stages;
using Taba.Silo.GrainState;
using Taba.Silo.Storage;
using Taba.Silo.Tests.Storage;

namespace Taba.Silo.Tests.GrainState;

public sealed class SqliteGrainStorageTests : IDisposable
{
    readonly TestFolder _folder = new();
    readonly ServiceProvider _services = new ServiceCollection().AddSerializer().BuildServiceProvider();

    public void Dispose()
    {
        _services.Dispose();
        _folder.Dispose();
    }

    SqliteGrainStorage Open(string? path = null) => new(
        path ?? _folder["grains.db"],
        new OrleansGrainStorageSerializer(_services.GetRequiredService<Serializer>()),
        _services.GetRequiredService<IActivatorProvider>());

    static GrainId Id(string key) => GrainId.Create("stage", key);

    static GrainState<StageState> State(int epoch) => new() { State = new() { Epoch = epoch } };

    static async Task<GrainState<StageState>> ReadAsync(SqliteGrainStorage storage, string key = "a", string name = "s")
    {
        var state = new GrainState<StageState>();
        await storage.ReadStateAsync(name, Id(key), state);
        return state;
    }

    [Fact]
    public async Task Read_NeverWritten_IsANewStateWithoutETag()
    {
        await using var storage = Open();
        var state = await ReadAsync(storage);
        Assert.False(state.RecordExists);
        Assert.Null(state.ETag);
        Assert.Equal(new StageState().Epoch, state.State!.Epoch);
        Assert.True(state.State!.Leases.IsEmpty);
    }

    [Fact]
    public async Task Write_ThenReopen_IsReadBackWhole()
    {
        var written = State(7);
        written.State = written.State! with { Published = [new(CaptureSelection.None, RowSet.Of(new RowRange(0, 32), new RowRange(64, 96)))] };
        await using (var storage = Open())
            await storage.WriteStateAsync("s", Id("a"), written);

        await using var again = Open();
        var read = await ReadAsync(again);

        Assert.True(read.RecordExists);
        Assert.Equal(written.ETag, read.ETag);
        Assert.Equal(7, read.State!.Epoch);
        Assert.Equal(written.State!.Published[0].Rows, read.State!.Published[0].Rows);
        Assert.False((await ReadAsync(again, "b")).RecordExists);
        Assert.False((await ReadAsync(again, name: "t")).RecordExists);
    }

    [Fact]
    public async Task Write_StaleETag_IsInconsistentAndChangesNothing()
    {
        await using var storage = Open();
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
            () => storage.WriteStateAsync("s", Id("a"), new GrainState<StageState> { State = new(), ETag = "no number" }));

        Assert.Equal(("2", "1"), (conflict.StoredEtag, conflict.CurrentEtag));
        Assert.Equal(2, (await ReadAsync(storage)).State!.Epoch);
    }

    [Fact]
    public async Task Clear_ThenWriteByAnEarlierReader_IsInconsistent()
    {
        await using var storage = Open();
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
    }

    [Fact]
    public async Task Clear_NothingThere_IsFine()
    {
        await using var storage = Open();
        var state = State(1);
        await storage.ClearStateAsync("s", Id("a"), state);
        Assert.Null(state.ETag);
        await storage.WriteStateAsync("s", Id("a"), state);
        Assert.True(state.RecordExists);
    }

    [Fact]
    public async Task Write_ManyGrainsAtOnce_AllAreThereAfterReopening()
    {
        await using (var storage = Open())
        {
            await Task.WhenAll(Enumerable.Range(0, 64).Select(i => Task.Run(async () =>
            {
                var state = State(0);
                for (var epoch = 1; epoch <= 10; epoch++)
                {
                    state.State = new() { Epoch = epoch * 100 + i };
                    await storage.WriteStateAsync("s", Id($"g{i}"), state);
                }
            })));
        }
        await using var again = Open();
        for (var i = 0; i < 64; i++)
        {
            var read = await ReadAsync(again, $"g{i}");
            Assert.Equal((1000 + i, "10"), (read.State!.Epoch, read.ETag));
        }
    }

    [Fact]
    public async Task Write_TwoActivationsAtOnce_ExactlyOneOfEachRoundIsStored()
    {
        await using var storage = Open();
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
    }

    [Fact]
    public async Task Open_NotADatabase_SaysWhatWouldDo()
    {
        await File.WriteAllBytesAsync(_folder["grains.db"], [.. Enumerable.Repeat((byte)'x', 5000)]);
        await using var storage = Open();
        var failure = await Assert.ThrowsAsync<StoreException>(() => ReadAsync(storage));
        Assert.Contains(_folder["grains.db"], failure.Message, StringComparison.Ordinal);
        Assert.Contains("delete it", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_NewerSchema_IsRefused()
    {
        await using (var storage = Open())
            await storage.WriteStateAsync("s", Id("a"), State(1));
        using (var connection = new SqliteConnection($"Data Source={_folder["grains.db"]};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE schema_version SET version = 2";
            command.ExecuteNonQuery();
        }
        await using var again = Open();
        var failure = await Assert.ThrowsAsync<StoreException>(() => ReadAsync(again));
        Assert.Contains("newer version", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Write_DiskIsFull_SaysSoAndContinuesWhenThereIsRoom()
    {
        using var disk = SmallDisk.MountOrSkip();
        await using var storage = Open(Path.Combine(disk.Path, "grains.db"));
        var state = State(1);
        await storage.WriteStateAsync("s", Id("a"), state);
        disk.FillUpTo(0);
        var large = new GrainState<byte[]> { State = new byte[200_000] };

        var failure = await Assert.ThrowsAsync<StoreException>(() => storage.WriteStateAsync("s", Id("large"), large));
        disk.MakeRoom();
        await storage.WriteStateAsync("s", Id("large"), large);

        Assert.True(failure.DiskFull, failure.Message);
        Assert.Equal("1", (await ReadAsync(storage)).ETag);
    }

    [Fact]
    public async Task Write_AfterDispose_Throws()
    {
        var storage = Open();
        await storage.DisposeAsync();
        storage.Dispose();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => storage.WriteStateAsync("s", Id("a"), State(1)));
    }

    [Fact]
    public async Task Write_Cancelled_IsNotBegun()
    {
        await using var storage = Open();
        var cancelled = new CancellationToken(canceled: true);
        await Assert.ThrowsAsync<OperationCanceledException>(() => storage.WriteStateAsync("s", Id("a"), State(1), cancelled));
        Assert.False((await ReadAsync(storage)).RecordExists);
    }
}

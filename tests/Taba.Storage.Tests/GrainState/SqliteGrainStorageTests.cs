using Microsoft.Data.Sqlite;
using Orleans;
using Orleans.Storage;
using Taba.Storage.GrainState;
using Taba.Storage.Objects;
using Taba.Testing.Stores;
using Taba.Testing;

namespace Taba.Storage.Tests.GrainState;

public sealed class SqliteGrainStorageTests : GrainStorageSuite
{
    protected override IGrainStorage OpenStorage() => Open();

    SqliteGrainStorage Open(string? path = null) => new(path ?? Folder["grains.db"], Serializer, Activators);

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
    public async Task Open_NotADatabase_SaysWhatWouldDo()
    {
        await File.WriteAllBytesAsync(Folder["grains.db"], [.. Enumerable.Repeat((byte)'x', 5000)]);
        await using var storage = Open();
        var failure = await Assert.ThrowsAsync<StoreException>(() => ReadAsync(storage));
        Assert.Contains(Folder["grains.db"], failure.Message, StringComparison.Ordinal);
        Assert.Contains("delete it", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_NewerSchema_IsRefused()
    {
        await using (var storage = Open())
            await storage.WriteStateAsync("s", Id("a"), State(1));
        using (var connection = new SqliteConnection($"Data Source={Folder["grains.db"]};Pooling=False"))
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
    [Trait(Needs.Trait, Needs.Process)]
    public async Task Write_DiskIsFull_SaysSoAndContinuesWhenThereIsRoom()
    {
        using var disk = Disks.MountOrSkip();
        await using var storage = Open(Path.Combine(disk.Path, "grains.db"));
        var state = State(1);
        await storage.WriteStateAsync("s", Id("a"), state);
        disk.Fill();
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

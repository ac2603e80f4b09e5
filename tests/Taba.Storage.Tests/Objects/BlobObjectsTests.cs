using Azure.Storage.Blobs.Specialized;
using Taba.Storage.Objects;
using Taba.Testing;
using Taba.Testing.Servers;
using Taba.Testing.Stores;

namespace Taba.Storage.Tests.Objects;

[Trait(Needs.Trait, Needs.Process)]
public sealed class BlobObjectsTests : ObjectStoreSuite
{
    static readonly byte[] s_x = [1];

    readonly BlobServer _server;
    readonly BlobStorePlace _place;

    public BlobObjectsTests(BlobServer server) : this(server, new(server))
    {
    }

    BlobObjectsTests(BlobServer server, BlobStorePlace place) : base(place) => (_server, _place) = (server, place);

    [Fact]
    public void BlockBytes_HugeFiles_NeverMoreThanFiftyThousandBlocks()
    {
        foreach (var bytes in new[] { 0L, 1, 8L << 20, 400L << 30, (400L << 30) + 1, 190L << 40 })
            Assert.True((bytes + BlobObjects.BlockBytes(bytes) - 1) / BlobObjects.BlockBytes(bytes) <= 50_000);
        Assert.Equal(8 << 20, BlobObjects.BlockBytes(1));
        Assert.Throws<StoreException>(() => BlobObjects.BlockBytes(long.MaxValue));
    }

    [Theory]
    [InlineData(1000, 0)]
    [InlineData(1000, 999)]
    [InlineData(1000, 1000)]
    [InlineData(1000, 1001)]
    [InlineData(1000, 10_000)]
    [InlineData(4096, 10_001)]
    public async Task Writer_ManyBlocks_IsTheWholeObjectWithItsHead(int blockBytes, int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        var blob = _place.Container.GetBlockBlobClient("a/b");
        await Task.Run(() =>
        {
            using var writer = new BlobWriter(blob, "a/b", blockBytes, "x/y");
            // Another one of the same name, given up half-way: its blocks are not taken for these.
            using var other = new BlobWriter(blob, "a/b", blockBytes, "x/y");
            for (var at = 0; at < length; at += 777)
            {
                other.Write(new byte[777]);
                writer.Write(bytes.AsSpan(at, Math.Min(777, length - at)));
            }
            writer.Complete(length > 0 ? [9] : []);
        });
        if (length > 0)
            bytes[0] = 9;
        Assert.Equal(bytes, await Open().ReadAsync("a/b", 1 << 20, None));
    }

    [Fact]
    public async Task Open_SmallObject_TravelsOnceAndLeavesNothingInScratch()
    {
        await Open().ReplaceAsync("a/b", new byte[1000], None);
        var faults = new FaultyRequests(await _server.ConnectionStringAsync(), _place.Container.Name, retries: 0);
        using var store = new BlobObjects(faults.Container, _place.Scratch);
        using var reader = await Task.Run(() => store.Open("a/b"));
        Assert.NotNull(reader);
        faults.Refuses = _ => true;
        var read = new byte[1000];
        reader.Read(0, read);
        reader.Read(999, read.AsSpan(0, 1));
        Assert.Equal(0, faults.Refused);
        Assert.All(
            Directory.GetFiles(store.Scratch, "*", SearchOption.AllDirectories), f => Assert.Equal("lock", Path.GetFileName(f)));
    }

    [Fact]
    public async Task Open_WithoutCopies_TakesNoRoomHere()
    {
        var store = _place.Open(copies: false);
        await store.ReplaceAsync("a/b", new byte[] { 1, 2, 3 }, None);
        using var reader = await Task.Run(() => store.Open("a/b"));
        Assert.IsType<BlobReader>(reader);
        var two = new byte[2];
        await Task.Run(() => reader.Read(1, two));
        Assert.Equal([2, 3], two);
        Assert.False(Directory.Exists(Path.Combine(store.Scratch, "copies")));
    }

    [Fact]
    public async Task Writes_FirstAnswersAreLost_AreThereAndACreationSaysTaken()
    {
        var faults = new FaultyRequests(await _server.ConnectionStringAsync(), _place.Container.Name) { LosesAnswers = true };
        using var store = new BlobObjects(faults.Container, _place.Scratch);
        await store.ReplaceAsync("a/replaced", s_x, None);
        await PutAsync(store, "a/put", s_x);
        // The request that the SDK makes again finds what the first one made.
        Assert.False(await store.TryCreateAsync("a/created", s_x, None));
        await Task.Run(() =>
        {
            using var writer = store.Create("a/written", 1);
            writer.Write(s_x);
            writer.Complete([]);
        });
        Assert.Equal(5, faults.Lost);
        foreach (var name in new[] { "a/replaced", "a/put", "a/created", "a/written" })
            Assert.Equal(s_x, await Open().ReadAsync(name, 10, None));
    }

    [Fact]
    public async Task EveryCall_AccountDoesNotAnswer_FailsWithWhatWouldDo()
    {
        await Open().ReplaceAsync("a/b", s_x, None);
        var faults = new FaultyRequests(await _server.ConnectionStringAsync(), _place.Container.Name, retries: 1);
        using var store = new BlobObjects(faults.Container, _place.Scratch);
        faults.Refuses = _ => true;
        foreach (var call in Calls(store))
        {
            var failure = await Assert.ThrowsAsync<StoreException>(call);
            Assert.Contains("when the account answers again the work goes on", failure.Message, StringComparison.Ordinal);
        }
        Assert.Equal(2 * Calls(store).Length, faults.Refused);
        faults.Refuses = _ => false;
        Assert.Equal(s_x, await store.ReadAsync("a/b", 10, None));
    }

    [Fact]
    public async Task EveryCall_ContainerIsGone_SaysSo()
    {
        var store = Open();
        await _place.Container.DeleteAsync();
        // What is to be gone is gone.
        await store.DeleteAsync("a/b", None);
        foreach (var call in Calls(store))
            Assert.Contains(
                "container is not there", (await Assert.ThrowsAsync<StoreException>(call)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task EveryCall_WrongKey_SaysThatTheAccountRefusesAndNotTheKey()
    {
        var wrong = $"AAAA{AzuriteServer.Secret[4..]}";
        var address = (await _server.ConnectionStringAsync()).Split("BlobEndpoint=")[1];
        var container = BlobContainers.Open(
            _place.Container.Name,
            $"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={wrong};BlobEndpoint={address}", null);
        using var store = new BlobObjects(container, _place.Scratch);
        foreach (var call in Calls(store))
        {
            var failure = await Assert.ThrowsAsync<StoreException>(call);
            Assert.Contains("the account refuses it", failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(wrong, failure.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Take_WhatAKilledProcessLeft_IsGoneAndTheLivingKeepTheirs()
    {
        var dead = new BlobObjects(_place.Container, _place.Scratch);
        await File.WriteAllBytesAsync(Path.Combine(dead.Scratch, "left"), s_x);
        using var living = new BlobObjects(_place.Container, _place.Scratch);
        var unfinished = Path.Combine(living.Scratch, "unfinished");
        await File.WriteAllBytesAsync(unfinished, s_x);
        Assert.NotEqual(dead.Scratch, living.Scratch);
        Assert.True(Directory.Exists(dead.Scratch));

        // Its lock ends with it, however it ends.
        dead.Dispose();
        using var next = new BlobObjects(_place.Container, _place.Scratch);

        Assert.False(Directory.Exists(dead.Scratch));
        Assert.True(File.Exists(unfinished));
        Assert.Equal(2, Directory.GetDirectories(_place.Scratch).Length);
    }

    [Fact]
    public async Task Open_ScratchDiskIsFullWhenCopied_SaysWhichDiskAndGoesOn()
    {
        using var disk = Disks.MountOrSkip();
        await Open().ReplaceAsync("a/b", new byte[600_000], None);
        using var store = new BlobObjects(_place.Container, disk.Path);
        disk.Fill(kilobytesLeft: 100);
        var failure = await Assert.ThrowsAsync<StoreException>(() => Task.Run(() => store.Open("a/b")));
        Assert.True(failure.DiskFull, failure.Message);
        Assert.Contains(disk.Path, failure.Message, StringComparison.Ordinal);
        disk.MakeRoom();
        using var reader = await Task.Run(() => store.Open("a/b"));
        Assert.Equal(600_000, reader!.Length);
    }

    [Fact]
    public async Task LocalPath_OfABlob_IsNone()
    {
        await Open().ReplaceAsync("a/b", s_x, None);
        Assert.Null(Open().LocalPath("a/b"));
        Assert.Equal($"{Open().Place}/a/b", Open().Where("a/b"));
        Assert.DoesNotContain('?', Open().Where("a/b"));
    }

    static Func<Task>[] Calls(IObjectStore store) =>
    [
        () => store.ReadAsync("a/b", 10, None), () => store.LengthAsync("a/b", None),
        () => store.ReplaceAsync("a/b", s_x, None), () => store.TryCreateAsync("a/c", s_x, None), () => PutAsync(store, "a/d", s_x),
        () => Task.Run(() => store.Open("a/b")), async () => await store.ListAsync("a/", None).ToListAsync(None),
        async () => await store.FoldersAsync("a/", None).ToListAsync(None), () => store.DeleteAllAsync("a/", None),
        () => Task.Run(() =>
        {
            using var writer = store.Create("a/e", 1);
            writer.Write(s_x);
            writer.Complete([]);
        }),
    ];
}

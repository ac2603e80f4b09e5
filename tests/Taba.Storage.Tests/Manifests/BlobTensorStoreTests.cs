using System.Text.Json.Nodes;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Taba.Storage.Objects;
using Taba.Testing.Stores;
using Taba.Testing;
using static Taba.Silo.Tests.Storage.StoreExamples;

namespace Taba.Storage.Tests.Manifests;

[Trait(Needs.Trait, Needs.Process)]
public sealed class BlobTensorStoreTests(BlobServer server) : TensorStoreSuite, IAsyncLifetime
{
    static readonly CancellationToken s_none = CancellationToken.None;
    readonly TestFolder _folder = new();
    BlobContainerClient _container = null!;
    int _stores;

    string Cell => $"store/{Key}/cells/00000000.json";

    public async ValueTask InitializeAsync() => _container = await server.ContainerAsync();

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }

    protected override ITensorStore OpenStore() => Store();

    BlobTensorStore Store() => new(_container, _folder[$"silo-{Interlocked.Increment(ref _stores)}"]);

    Task<string> TextAsync(string name) =>
        Task.Run(async () => (await _container.GetBlobClient(name).DownloadContentAsync()).Value.Content.ToString());

    async Task WriteAsync(string name, string text) =>
        await _container.GetBlobClient(name).UploadAsync(new BinaryData(text), overwrite: true);

    async Task<List<string>> NamesAsync() =>
        await _container.GetBlobsAsync(new GetBlobsOptions()).Select(b => b.Name).ToListAsync();

    [Fact]
    public async Task Publish_RowsOverACellsBorder_AreRefused()
    {
        var store = Store();
        var attempt = Attempt();
        var entry = await PutAsync(store, attempt, [1]);
        Assert.Equal(BlobCells.Rows, PartGrid.MaxRows);
        var refused = await Assert.ThrowsAsync<ArgumentException>(() => store.PublishAsync(Manifest(attempt, new(0, 33), entry), s_none));
        Assert.Contains("must not reach over row 32", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ArgumentException>(() => store.PublishAsync(Manifest(attempt, new(40, 72), entry), s_none));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"schema":1,"manifests":null}""")]
    [InlineData("""{"schema":1,"manifests":[null]}""")]
    [InlineData("""{"schema":2,"manifests":[]}""")]
    public async Task List_DamagedCell_NamesTheBlobAndWhatWouldDo(string text)
    {
        await WriteAsync(Cell, text);
        foreach (var list in new[] { Store().ListAsync(Key, s_none), Store().ListAsync(Key, new(3, 4), s_none) })
        {
            var failure = await Assert.ThrowsAsync<StoreException>(() => list);
            Assert.Contains(Cell, failure.Message, StringComparison.Ordinal);
            Assert.Contains("delete that blob", failure.Message, StringComparison.Ordinal);
        }
        var attempt = Attempt();
        var store = Store();
        var entry = await PutAsync(store, attempt, [1]);
        await Assert.ThrowsAsync<StoreException>(() => store.PublishAsync(Manifest(attempt, new(0, 32), entry), s_none));
        await Assert.ThrowsAsync<StoreException>(() => Task.Run(() => store.DeleteAttempt(attempt)));
        Assert.Equal([1], ReadAll(store, entry.Path));
    }

    [Theory]
    [InlineData("stage_key", "\"ff\"", "speaks of stage ff")]
    [InlineData("row_end", "33", "speaks of rows")]
    [InlineData("row_start", "-1", "speaks of rows")]
    [InlineData("objects", "[]", "names no objects")]
    [InlineData("schema", "9", "newer version")]
    public async Task List_HostileManifest_IsRefused(string field, string value, string expected)
    {
        await PublishAsync(Store(), Attempt(), new(0, 32));
        await EditAsync(m => m[0]![field] = JsonNode.Parse(value));
        Assert.Contains(
            expected, (await Assert.ThrowsAsync<StoreException>(() => Store().ListAsync(Key, s_none))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("path", "\"../../../../etc/passwd\"")]
    [InlineData("data_offset", "-1")]
    [InlineData("bytes", "9223372036854775807")]
    [InlineData("steps", "null")]
    public async Task List_HostileObject_IsRefused(string field, string value)
    {
        await PublishAsync(Store(), Attempt(), new(0, 32));
        await EditAsync(m =>
        {
            m[0]!["objects"]![0]!["data_offset"] = 8;
            m[0]!["objects"]![0]![field] = JsonNode.Parse(value);
        });
        await Assert.ThrowsAsync<StoreException>(() => Store().ListAsync(Key, s_none));
    }

    [Fact]
    public async Task List_TwoManifestsOfTheSameRows_AreRefused()
    {
        await PublishAsync(Store(), Attempt(), new(0, 32));
        await EditAsync(m => m.Add(m[0]!.DeepClone()));
        Assert.Contains(
            "same rows", (await Assert.ThrowsAsync<StoreException>(() => Store().ListAsync(Key, s_none))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_AnotherSiloPublishedMeanwhile_IsSeen()
    {
        var (one, other) = (Store(), Store());
        await PublishAsync(one, Attempt(), new(0, 5));
        Assert.Single(await other.ListAsync(Key, s_none));
        await PublishAsync(one, Attempt(epoch: 2), new(6, 32));
        await PublishAsync(one, Attempt(64), new(64, 96));
        Assert.Equal([0, 6, 64], (await other.ListAsync(Key, s_none)).Select(m => m.RowStart));
        Assert.Equal([6], (await other.ListAsync(Key, new(6, 7), s_none)).Select(m => m.RowStart));
    }

    [Fact]
    public async Task List_StrangeBlobsBeside_AreIgnored()
    {
        await PublishAsync(Store(), Attempt(), new(0, 32));
        foreach (var name in new[] { "readme.txt", $"store/{Key}/cells/x.json", $"store/{Key}/cells/00000000.json.bak",
            "store/UPPER/cells/00000000.json" })
            await WriteAsync(name, "?");
        Assert.Single(await Store().ListAsync(Key, s_none));
        Assert.Equal(Key, Assert.Single(await Store().ListStagesAsync(s_none)).Key);
    }

    [Fact]
    public async Task ListStages_DamagedDescription_TheStageIsStillThere()
    {
        await Store().DescribeStageAsync(Key, Spec(), s_none);
        await WriteAsync($"store/{Key}/stage.json", "{");
        Assert.Null(Assert.Single(await Store().ListStagesAsync(s_none)).Description);
    }

    [Fact]
    public async Task Describe_ByTwoSilos_TheFirstStays()
    {
        await Store().DescribeStageAsync(Key, Spec(), s_none);
        var text = await TextAsync($"store/{Key}/stage.json");
        await Store().DescribeStageAsync(Key, Spec() with { NumInferenceSteps = 11 }, s_none);
        Assert.Equal(text, await TextAsync($"store/{Key}/stage.json"));
    }

    [Fact]
    public async Task Open_DamagedObject_IsFoundByItsDigest()
    {
        var store = Store();
        var attempt = Attempt();
        var entry = await PutAsync(store, attempt, [1, 2, 3, 4]);
        Assert.True(await store.PublishAsync(Manifest(attempt, new(0, 1), entry), s_none));
        await WriteAsync(entry.Path, "\u0001\u0002\u0003\u0005");
        using var reader = await StageReader.OpenAsync(store, Key, s_none);
        var failure = Assert.Throws<StoreException>(() => reader.ReadResult(new(0, 1), new byte[4]));
        Assert.Contains("is damaged", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_LargeObject_IsReadInRangesFromManyThreads()
    {
        var store = Store();
        var attempt = Attempt();
        var bytes = new byte[(33 << 20) + 17];
        new Random(1).NextBytes(bytes);
        var entry = await PutAsync(store, attempt, bytes, "all_t_samples", TensorKinds.State, 0);
        using var reader = store.Open(entry.Path);
        Assert.IsType<BlobObjectReader>(reader);
        Assert.Equal(bytes.Length, reader.Length);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() =>
        {
            var random = new Random(i);
            var at = random.Next(bytes.Length - 3_000_000);
            foreach (var length in new[] { 1, 100_000, 5000, 2_000_000, 64 << 10, 64 << 10 })
            {
                var read = new byte[length];
                reader.Read(at, read);
                Assert.True(read.AsSpan().SequenceEqual(bytes.AsSpan(at, length)));
                at += length;
            }
        })));
        var tail = new byte[17];
        reader.Read(bytes.Length - 17, tail);
        Assert.Equal(bytes[^17..], tail);
        Assert.Throws<StoreException>(() => reader.Read(bytes.Length - 16, tail));

        await _container.GetBlobClient(entry.Path).UploadAsync(new BinaryData(bytes), overwrite: true);
        Assert.Throws<StoreException>(() => reader.Read(0, tail));
    }

    [Fact]
    public async Task OpenAsync_Copy_LeavesNothingInScratch()
    {
        var store = Store();
        var entry = await PutAsync(store, Attempt(), [1, 2]);
        using (await store.OpenAsync(entry.Path, s_none))
        using (store.Open(entry.Path))
            Assert.Equal("lock", Path.GetFileName(Assert.Single(Directory.GetFiles(_folder["silo-1"], "*", SearchOption.AllDirectories))));
    }

    [Fact]
    public void BlockBytes_HugeFiles_NeverMoreThanFiftyThousandBlocks()
    {
        foreach (var bytes in new[] { 0L, 1, 8L << 20, 400L << 30, (400L << 30) + 1, 190L << 40 })
            Assert.True((bytes + BlobObjects.BlockBytes(bytes) - 1) / BlobObjects.BlockBytes(bytes) <= 50_000);
        Assert.Equal(8 << 20, BlobObjects.BlockBytes(1));
        Assert.Throws<StoreException>(() => BlobObjects.BlockBytes(long.MaxValue));
    }

    [Fact]
    public async Task DeleteAttempt_OutcomeOfItsPublicationIsNotKnown_TheLateRequestFails()
    {
        var store = Store();
        var attempt = Attempt();
        var entry = await PutAsync(store, attempt, [1]);
        var late = new BlobCells(_container, new(_folder.Path));
        var before = await late.ReadAsync(Key, 0, s_none);
        // The publication is given up while it waits for the account: nobody knows whether it arrived.
        using var stop = new CancellationTokenSource();
        await using (var stuck = await StuckServer.StartAsync(_container, stop))
        {
            var through = new BlobTensorStore(stuck.Container, _folder["stuck"]);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(
                () => through.PublishAsync(Manifest(attempt, new(0, 32), entry), stop.Token));
            stuck.Open();
            through.DeleteAttempt(attempt);
        }

        Assert.False(await late.TryWriteAsync(before, [Manifest(attempt, new(0, 32), entry)], s_none));
        Assert.Empty(await store.ListAsync(Key, s_none));
        Assert.DoesNotContain(entry.Path, await NamesAsync());
        Assert.True(await PublishAsync(store, Attempt(epoch: 2), new(0, 32)));
    }

    [Fact]
    public async Task SweepOrphans_OldObjects_OnlyWhatNoManifestNames()
    {
        var store = Store();
        var attempt = Attempt();
        var kept = await PutAsync(store, attempt, [1]);
        Assert.True(await store.PublishAsync(Manifest(attempt, new(0, 32), kept), s_none));
        var lost = await PutAsync(store, Attempt(32), [2]);
        Assert.Equal(0, await store.SweepOrphansAsync(DateTimeOffset.UtcNow.AddHours(-1), s_none));

        Assert.Equal(1, await store.SweepOrphansAsync(DateTimeOffset.UtcNow.AddHours(1), s_none));

        Assert.Equal([1], ReadAll(store, kept.Path));
        Assert.DoesNotContain(lost.Path, await NamesAsync());
    }

    [Fact]
    public async Task Open_WhatAKilledProcessLeft_IsGoneAndTheLivingKeepTheirs()
    {
        string[] Files() => Directory.GetFiles(_folder["silo"], "samples*", SearchOption.AllDirectories);
        var dead = new BlobTensorStore(_container, _folder["silo"]);
        await File.WriteAllBytesAsync(dead.ScratchPath(Attempt(), "samples"), [1]);
        using var living = new BlobTensorStore(_container, _folder["silo"]);
        var unfinished = living.ScratchPath(Attempt(32), "samples");
        await File.WriteAllBytesAsync(unfinished, [2]);
        Assert.Equal(2, Files().Length);

        dead.Dispose();
        using var next = new BlobTensorStore(_container, _folder["silo"]);

        Assert.Equal([unfinished], Files());
        Assert.Equal(2, Directory.GetDirectories(_folder["silo"]).Length);
    }

    [Fact]
    public async Task Put_ScratchDiskIsFullWhenCopied_SaysWhichDisk()
    {
        using var disk = Disks.MountOrSkip();
        var entry = await PutAsync(Store(), Attempt(), new byte[600_000]);
        var store = new BlobTensorStore(_container, disk.Path);
        disk.Fill(kilobytesLeft: 100);
        var failure = await Assert.ThrowsAsync<StoreException>(() => store.OpenAsync(entry.Path, s_none));
        Assert.True(failure.DiskFull);
        Assert.True(Assert.Throws<StoreException>(() => store.Open(entry.Path)).DiskFull);
        disk.MakeRoom();
        using var reader = await store.OpenAsync(entry.Path, s_none);
        Assert.Equal(600_000, reader.Length);
    }

    async Task EditAsync(Action<JsonArray> edit)
    {
        var cell = JsonNode.Parse(await TextAsync(Cell))!;
        edit(cell["manifests"]!.AsArray());
        await WriteAsync(Cell, cell.ToJsonString());
    }
}

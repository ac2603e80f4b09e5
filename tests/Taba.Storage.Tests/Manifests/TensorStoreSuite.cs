using Taba.Storage.Objects;
using Taba.Testing.Stores;
using static Taba.Silo.Tests.Storage.StoreExamples;

namespace Taba.Storage.Tests.Manifests;

/// <summary>What every tensor store promises. A store's own test class derives from it.</summary>
public abstract class TensorStoreSuite
{
    static readonly CancellationToken s_none = CancellationToken.None;

    /// <summary>A store over the same place at each call, as another process would open it.</summary>
    protected abstract ITensorStore OpenStore();

    [Fact]
    public async Task Put_FinishedScratchFile_IsReadableAtAnyOffsetAndScratchIsGone()
    {
        var store = OpenStore();
        var attempt = Attempt();
        var scratch = store.ScratchPath(attempt, "samples");
        var entry = await PutAsync(store, attempt, [10, 11, 12, 13, 14]);

        using var reader = OpenStore().Open(entry.Path);
        var middle = new byte[3];
        reader.Read(1, middle);

        Assert.Equal(5, reader.Length);
        Assert.Equal([11, 12, 13], middle);
        Assert.False(File.Exists(scratch));
    }

    [Fact]
    public async Task Put_Twice_GivesTheSamePath()
    {
        var store = OpenStore();
        var attempt = Attempt();
        var first = await PutAsync(store, attempt, [1]);
        var again = await store.PutAsync(attempt, "samples", s_none);
        Assert.Equal(first.Path, again);
    }

    [Fact]
    public async Task Put_NothingWritten_SaysWhichFileIsMissing()
    {
        var store = OpenStore();
        var failure = await Assert.ThrowsAsync<StoreException>(() => store.PutAsync(Attempt(), "samples", s_none));
        Assert.Contains("samples", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_BeyondTheEnd_Throws()
    {
        var store = OpenStore();
        var entry = await PutAsync(store, Attempt(), [1, 2, 3]);
        using var reader = store.Open(entry.Path);
        Assert.Throws<StoreException>(() => reader.Read(2, new byte[2]));
        Assert.Throws<StoreException>(() => reader.Read(-1, new byte[1]));
        Assert.Throws<StoreException>(() => reader.Read(long.MaxValue, new byte[2]));
    }

    [Fact]
    public async Task Publish_FirstAndSecond_TrueThenFalseAndTheFirstStays()
    {
        var store = OpenStore();
        Assert.True(await PublishAsync(store, Attempt(epoch: 1), new(0, 32), fill: 1));
        Assert.False(await PublishAsync(store, Attempt(epoch: 2), new(0, 32), fill: 2));

        var manifest = Assert.Single(await OpenStore().ListAsync(Key, s_none));
        Assert.Equal(1, manifest.Epoch);
        Assert.Equal([1, 1], ReadAll(store, manifest.Objects[0].Path));
    }

    [Fact]
    public async Task Publish_TheSameManifestAgain_IsPublishedAlready()
    {
        var store = OpenStore();
        var attempt = Attempt();
        var manifest = Manifest(attempt, new(0, 32), await PutAsync(store, attempt, [1]));
        Assert.True(await store.PublishAsync(manifest, s_none));
        Assert.True(await OpenStore().PublishAsync(manifest, s_none));
        Assert.False(await store.PublishAsync(manifest with { RowEnd = 16 }, s_none));
        Assert.Single(await store.ListAsync(Key, s_none));
    }

    [Fact]
    public async Task Publish_RangesOfOneCellAtOnce_EachRowHasOneManifest()
    {
        var stores = new[] { OpenStore(), OpenStore(), OpenStore() };
        RowRange[] ranges = [new(0, 5), new(4, 12), new(6, 32), new(0, 32), new(12, 32), new(5, 6)];
        var wins = await Task.WhenAll(
            ranges.Select((rows, i) => Task.Run(async () => (rows, Won: await PublishAsync(stores[i % 3], Attempt(rows.Start, i), rows)))));

        var manifests = await OpenStore().ListAsync(Key, s_none);

        Assert.Equal(wins.Where(w => w.Won).Select(w => w.rows).OrderBy(r => r.Start), manifests.Select(m => m.Rows));
        Assert.Equal(manifests.Sum(m => m.Rows.Count), RowSet.Of([.. manifests.Select(m => m.Rows)]).Count);
        Assert.NotEmpty(manifests);
    }

    [Fact]
    public async Task OpenAsync_Object_IsReadAsByOpenAndGoneWhenItIsGone()
    {
        var store = OpenStore();
        var attempt = Attempt();
        var entry = await PutAsync(store, attempt, [10, 11, 12, 13]);
        using (var reader = await OpenStore().OpenAsync(entry.Path, s_none))
        {
            var tail = new byte[2];
            reader.Read(2, tail);
            Assert.Equal(4, reader.Length);
            Assert.Equal([12, 13], tail);
            store.DeleteAttempt(attempt);
            reader.Read(0, tail);
            Assert.Equal([10, 11], tail);
        }
        await Assert.ThrowsAsync<StoreException>(() => store.OpenAsync(entry.Path, s_none));
        await Assert.ThrowsAsync<StoreException>(() => store.OpenAsync("../x", s_none));
    }

    [Fact]
    public async Task HasStage_BeforeAndAfter_SaysSo()
    {
        var store = OpenStore();
        Assert.False(await store.HasStageAsync(Key, s_none));
        await store.DescribeStageAsync(Key, Spec(), s_none);
        Assert.True(await OpenStore().HasStageAsync(Key, s_none));
        Assert.False(await store.HasStageAsync(Key[..16], s_none));
    }

    [Fact]
    public async Task Publish_ReadBack_IsEqualFieldByField()
    {
        var store = OpenStore();
        var attempt = Attempt(32, 3);
        var result = await PutAsync(store, attempt, [1]);
        var eps = await PutAsync(store, attempt, [2], "all_t_eps_samples", TensorKinds.Eps, 3, 7);
        var written = Manifest(attempt, new(32, 64), result, eps);
        Assert.True(await store.PublishAsync(written, s_none));

        var read = Assert.Single(await store.ListAsync(Key, s_none));

        Assert.Equal(
            (written.Schema, written.StageKey, written.Rows, written.Supplement, written.Epoch, written.Attempt, written.Evaluations,
            written.Device, written.PublishedAt),
            (read.Schema, read.StageKey, read.Rows, read.Supplement, read.Epoch, read.Attempt, read.Evaluations, read.Device,
            read.PublishedAt));
        Assert.Equal(new CaptureSelection([], [3, 7], []), read.Kept);
        Assert.Equal(result.Sha256, read.Object(TensorKinds.None)!.Sha256);
        Assert.Equal(result.Shape, read.Object(TensorKinds.None)!.Shape.AsEnumerable());
        Assert.Equal([3, 7], read.Object(TensorKinds.Eps)!.Steps.AsEnumerable());
    }

    [Fact]
    public async Task Publish_TwoAtOnceFiftyTimes_ExactlyOneWins()
    {
        var stores = new[] { OpenStore(), OpenStore() };
        for (var i = 0; i < 50; i++)
        {
            var rows = new RowRange(i * 32, i * 32 + 32);
            using var start = new Barrier(2);
            var wins = await Task.WhenAll(stores.Select((store, who) => Task.Factory.StartNew(
                () =>
                {
                    var attempt = Attempt(rows.Start, who);
                    var manifest = Manifest(attempt, rows, PutAsync(store, attempt, [(byte)who]).GetAwaiter().GetResult());
                    start.SignalAndWait();
                    return store.PublishAsync(manifest, s_none).GetAwaiter().GetResult();
                },
                s_none, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

            Assert.Single(wins, won => won);
            var manifest = Assert.Single(await stores[0].ListAsync(Key, rows, s_none));
            Assert.Equal(Array.IndexOf(wins, true), manifest.Epoch);
        }
        Assert.Equal(50, (await stores[1].ListAsync(Key, s_none)).Length);
    }

    [Fact]
    public async Task Publish_RowsOverlapWithAnotherBeginning_Loses()
    {
        var store = OpenStore();
        Assert.True(await PublishAsync(store, Attempt(), new(0, 32)));
        Assert.False(await PublishAsync(store, Attempt(epoch: 2), new(6, 32)));
        Assert.True(await PublishAsync(store, Attempt(64), new(70, 96)));
        Assert.False(await PublishAsync(store, Attempt(64, 2), new(64, 96)));
        Assert.True(await PublishAsync(store, Attempt(64, 3), new(64, 70)));
    }

    [Fact]
    public async Task Publish_Supplement_StandsBesideTheResultOncePerSelection()
    {
        var store = OpenStore();
        Assert.True(await PublishAsync(store, Attempt(), new(0, 32)));
        async Task<bool> SupplementAsync(int epoch, params int[] steps)
        {
            var attempt = Attempt(epoch: epoch);
            var kept = await PutAsync(store, attempt, [9], "all_t_eps_samples", TensorKinds.Eps, steps);
            return await store.PublishAsync(Manifest(attempt, new(0, 32), kept) with { Supplement = true }, s_none);
        }

        Assert.True(await SupplementAsync(2, 8, 9));
        Assert.False(await SupplementAsync(3, 8, 9));
        Assert.True(await SupplementAsync(4, 7, 8, 9));
        Assert.Equal([1, 2, 4], (await store.ListAsync(Key, s_none)).Select(m => m.Epoch).Order());
    }

    [Fact]
    public async Task Publish_ObjectThatWasNotPut_Throws()
    {
        var store = OpenStore();
        var attempt = Attempt();
        var entry = await PutAsync(store, attempt, [1]);
        var other = Manifest(
            attempt, new(0, 32), entry with { Path = entry.Path.Replace("samples.", "latents.", StringComparison.Ordinal) });
        await Assert.ThrowsAsync<StoreException>(() => store.PublishAsync(other, s_none));
    }

    [Fact]
    public async Task List_UnknownStage_IsEmpty() => Assert.Empty(await OpenStore().ListAsync(Key, s_none));

    [Fact]
    public async Task List_RowsOfALargeStage_GivesThoseThatHoldThem()
    {
        var store = OpenStore();
        foreach (var start in new[] { 96, 0, 32, 64 })
            Assert.True(await PublishAsync(store, Attempt(start), new(start, start + 32)));

        Assert.Equal([0, 32, 64, 96], (await store.ListAsync(Key, s_none)).Select(m => m.RowStart));
        Assert.Equal([32, 64], (await store.ListAsync(Key, new(40, 65), s_none)).Select(m => m.RowStart));
        Assert.Equal([32], (await store.ListAsync(Key, new(63, 64), s_none)).Select(m => m.RowStart));
        Assert.Empty(await store.ListAsync(Key, new(128, 200), s_none));
    }

    [Fact]
    public async Task DeleteAttempt_LoserAndWinner_OnlyTheLosersObjectsGo()
    {
        var store = OpenStore();
        var winner = Attempt(epoch: 1);
        var loser = Attempt(epoch: 2);
        var kept = await PutAsync(store, winner, [1]);
        var lost = await PutAsync(store, loser, [2]);
        Assert.True(await store.PublishAsync(Manifest(winner, new(0, 32), kept), s_none));
        Assert.False(await store.PublishAsync(Manifest(loser, new(0, 32), lost), s_none));

        foreach (var attempt in new[] { winner, loser, loser })
            store.DeleteAttempt(attempt);

        Assert.Equal([1], ReadAll(store, kept.Path));
        Assert.Throws<StoreException>(() => store.Open(lost.Path));
    }

    [Fact]
    public async Task DeleteAttempt_HalfOfItsManifestsWon_TheNamedObjectsStay()
    {
        var store = OpenStore();
        Assert.True(await PublishAsync(store, Attempt(epoch: 1), new(6, 32)));
        var attempt = Attempt(epoch: 2);
        var head = await PutAsync(store, attempt, [1], "samples");
        var tail = await PutAsync(store, attempt, [2], "samples_1");
        Assert.True(await store.PublishAsync(Manifest(attempt, new(0, 5), head), s_none));
        Assert.False(await store.PublishAsync(Manifest(attempt, new(6, 32), tail), s_none));

        store.DeleteAttempt(attempt);

        Assert.Equal([1], ReadAll(store, head.Path));
        Assert.Throws<StoreException>(() => store.Open(tail.Path));
    }

    [Fact]
    public async Task DescribeStage_Twice_IsListedWithRowsAndSize()
    {
        var store = OpenStore();
        await store.DescribeStageAsync(Key, Spec(), s_none);
        await store.DescribeStageAsync(Key, Spec(), s_none);
        await PublishAsync(store, Attempt(), new(0, 32));
        await PublishAsync(store, Attempt(64), new(64, 96));

        var stage = Assert.Single(await OpenStore().ListStagesAsync(s_none));

        Assert.Equal(Key, stage.Key);
        Assert.Contains("num_inference_steps=10", stage.Description, StringComparison.Ordinal);
        Assert.Equal(RowSet.Of(new RowRange(0, 32), new RowRange(64, 96)), stage.Rows);
        Assert.True(stage.Bytes >= 4);
    }

    [Fact]
    public async Task RemoveStage_WithParts_NothingIsLeftAndTheRowsAreFree()
    {
        var store = OpenStore();
        var entry = await PutAsync(store, Attempt(), [1]);
        await PublishAsync(store, Attempt(), new(0, 32));
        await store.RemoveStageAsync(Key, s_none);
        await store.RemoveStageAsync(Key, s_none);

        Assert.Empty(await store.ListStagesAsync(s_none));
        Assert.Throws<StoreException>(() => store.Open(entry.Path));
        Assert.True(await PublishAsync(store, Attempt(epoch: 2), new(0, 32)));
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("store/../../etc/passwd.safetensors")]
    [InlineData("store/0123/objects/00000000-1-0123456789abcdef0123456789abcdef/../x.safetensors")]
    [InlineData("store/0123/objects/00000000-1-0123456789abcdef0123456789abcdef/x.safetensors\n")]
    [InlineData("store\\0123\\objects\\x.safetensors")]
    [InlineData("")]
    public void Open_PathOutsideTheObjects_IsRefused(string path)
    {
        var failure = Assert.Throws<StoreException>(() => OpenStore().Open(path));
        Assert.Contains("is not a path of an object", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("..", "samples")]
    [InlineData("ABC", "samples")]
    [InlineData("a/b", "samples")]
    [InlineData("", "samples")]
    [InlineData(Key, "../samples")]
    [InlineData(Key, "samples.safetensors")]
    [InlineData(Key, "")]
    public void ScratchPath_BadNames_AreRefused(string key, string name) =>
        Assert.Throws<ArgumentException>(() => OpenStore().ScratchPath(Attempt(key: key), name));
}

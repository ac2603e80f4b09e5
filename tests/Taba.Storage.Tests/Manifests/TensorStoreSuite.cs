using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Testing;
using Taba.Testing.Stores;
using static Taba.Testing.Stores.StoreExamples;

namespace Taba.Storage.Tests.Manifests;

/// <summary>What a tensor store promises.</summary>
public abstract class TensorStoreSuite(StorePlace place) : StoreSuite(place)
{
    [Fact]
    public async Task Put_FinishedScratchFile_IsReadableAtAnyOffsetAndScratchIsGone()
    {
        var store = OpenStore();
        var attempt = Attempt();
        var scratch = store.ScratchPath(attempt, "samples");
        var entry = await PutAsync(store, attempt, [10, 11, 12, 13, 14]);

        using var reader = OpenStore().Open(entry.Path);
        Assert.NotNull(reader);
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
        var again = await store.PutAsync(attempt, "samples", None);
        Assert.Equal(first.Path, again);
    }

    [Fact]
    public async Task Put_NothingWritten_SaysWhichFileIsMissing()
    {
        var store = OpenStore();
        var failure = await Assert.ThrowsAsync<StoreException>(() => store.PutAsync(Attempt(), "samples", None));
        Assert.Contains("samples", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_BeyondTheEnd_Throws()
    {
        var store = OpenStore();
        var entry = await PutAsync(store, Attempt(), [1, 2, 3]);
        using var reader = store.Open(entry.Path);
        Assert.NotNull(reader);
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

        var manifest = Assert.Single(await OpenStore().ListAsync(Key, None));
        Assert.Equal(1, manifest.Epoch);
        Assert.Equal([1, 1], ReadAll(store, manifest.Objects[0].Path));
    }

    [Fact]
    public async Task Publish_TheSameManifestAgain_IsPublishedAlready()
    {
        var store = OpenStore();
        var attempt = Attempt();
        var manifest = Manifest(attempt, new(0, 32), await PutAsync(store, attempt, [1]));
        Assert.True(await store.PublishAsync(manifest, None));
        Assert.True(await OpenStore().PublishAsync(manifest, None));
        Assert.False(await store.PublishAsync(manifest with { RowEnd = 16 }, None));
        Assert.Single(await store.ListAsync(Key, None));
    }

    [Fact]
    public async Task Publish_RangesOfOneCellAtOnce_EachRowHasOneManifest()
    {
        var stores = new[] { OpenStore(), OpenStore(), OpenStore() };
        RowRange[] ranges = [new(0, 5), new(4, 12), new(6, 32), new(0, 32), new(12, 32), new(5, 6)];
        var wins = await Task.WhenAll(
            ranges.Select((rows, i) => Task.Run(async () => (rows, Won: await PublishAsync(stores[i % 3], Attempt(rows.Start, i), rows)))));

        var manifests = await OpenStore().ListAsync(Key, None);

        Assert.Equal(wins.Where(w => w.Won).Select(w => w.rows).OrderBy(r => r.Start), manifests.Select(m => m.Rows));
        Assert.Equal(manifests.Sum(m => m.Rows.Count), RowSet.Of([.. manifests.Select(m => m.Rows)]).Count);
        Assert.NotEmpty(manifests);
    }

    [Fact]
    public async Task Open_ObjectIsDeletedMeanwhile_IsReadToTheEndAndGoneAfterwards()
    {
        var store = OpenStore();
        var attempt = Attempt();
        var entry = await PutAsync(store, attempt, [10, 11, 12, 13]);
        using (var reader = OpenStore().Open(entry.Path))
        {
            Assert.NotNull(reader);
            var tail = new byte[2];
            reader.Read(2, tail);
            Assert.Equal([12, 13], tail);
            Assert.Equal(1, await store.DeleteAttemptAsync(attempt, None));
            reader.Read(0, tail);
            Assert.Equal([10, 11], tail);
        }
        Assert.Null(store.Open(entry.Path));
    }

    [Fact]
    public async Task Publish_ReadBack_IsEqualFieldByField()
    {
        var store = OpenStore();
        var attempt = Attempt(32, 3);
        var result = await PutAsync(store, attempt, [1]);
        var eps = await PutAsync(store, attempt, [2], "all_t_eps_samples", TensorKinds.Eps, 3, 7);
        var written = Manifest(attempt, new(32, 64), result, eps);
        Assert.True(await store.PublishAsync(written, None));

        var read = Assert.Single(await store.ListAsync(Key, None));

        Assert.Equal(
            (written.StageKey, written.Rows, written.Supplement, written.Epoch, written.Attempt, written.Evaluations,
            written.Device, written.PublishedAt),
            (read.StageKey, read.Rows, read.Supplement, read.Epoch, read.Attempt, read.Evaluations, read.Device,
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
                    return store.PublishAsync(manifest, None).GetAwaiter().GetResult();
                },
                None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

            Assert.Single(wins, won => won);
            var manifest = Assert.Single(await stores[0].ListAsync(Key, rows, None));
            Assert.Equal(Array.IndexOf(wins, true), manifest.Epoch);
        }
        Assert.Equal(50, (await stores[1].ListAsync(Key, None)).Length);
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
            return await store.PublishAsync(Manifest(attempt, new(0, 32), kept) with { Supplement = true }, None);
        }

        Assert.True(await SupplementAsync(2, 8, 9));
        Assert.False(await SupplementAsync(3, 8, 9));
        Assert.True(await SupplementAsync(4, 7, 8, 9));
        Assert.Equal([1, 2, 4], (await store.ListAsync(Key, None)).Select(m => m.Epoch).Order());
    }

    [Fact]
    public async Task Publish_ObjectThatWasNotPut_Throws()
    {
        var store = OpenStore();
        var attempt = Attempt();
        var entry = await PutAsync(store, attempt, [1]);
        var other = Manifest(
            attempt, new(0, 32), entry with { Path = entry.Path.Replace("samples.", "latents.", StringComparison.Ordinal) });
        await Assert.ThrowsAsync<StoreException>(() => store.PublishAsync(other, None));
    }

    [Fact]
    public async Task DeleteAttempt_LoserAndWinner_OnlyTheLosersObjectsGo()
    {
        var store = OpenStore();
        var winner = Attempt(epoch: 1);
        var loser = Attempt(epoch: 2);
        var kept = await PutAsync(store, winner, [1]);
        var lost = await PutAsync(store, loser, [2]);
        Assert.True(await store.PublishAsync(Manifest(winner, new(0, 32), kept), None));
        Assert.False(await store.PublishAsync(Manifest(loser, new(0, 32), lost), None));

        var deleted = new List<int>();
        foreach (var attempt in new[] { winner, loser, loser })
            deleted.Add(await store.DeleteAttemptAsync(attempt, None));

        Assert.Equal([0, 1, 0], deleted);
        Assert.Equal([1], ReadAll(store, kept.Path));
        Assert.Null(store.Open(lost.Path));
    }

    [Fact]
    public async Task DeleteAttempt_HalfOfItsManifestsWon_TheNamedObjectsStay()
    {
        var store = OpenStore();
        Assert.True(await PublishAsync(store, Attempt(epoch: 1), new(6, 32)));
        var attempt = Attempt(epoch: 2);
        var head = await PutAsync(store, attempt, [1], "samples");
        var tail = await PutAsync(store, attempt, [2], "samples_1");
        Assert.True(await store.PublishAsync(Manifest(attempt, new(0, 5), head), None));
        Assert.False(await store.PublishAsync(Manifest(attempt, new(6, 32), tail), None));

        Assert.Equal(1, await store.DeleteAttemptAsync(attempt, None));

        Assert.Equal([1], ReadAll(store, head.Path));
        Assert.Null(store.Open(tail.Path));
        // What it published stays published, and it hears so.
        Assert.True(await store.PublishAsync(Manifest(attempt, new(0, 5), head), None));
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("stages/../../etc/passwd.safetensors")]
    [InlineData("stages/0123/objects/00000000-1-0123456789abcdef0123456789abcdef/../x.safetensors")]
    [InlineData("stages/0123/objects/00000000-1-0123456789abcdef0123456789abcdef/x.safetensors\n")]
    [InlineData("stages/0123/objects/99999999999-1-0123456789abcdef0123456789abcdef/x.safetensors")]
    [InlineData("stages/0123/cells/0000000000/v00000001.json")]
    [InlineData("stages\\0123\\objects\\x.safetensors")]
    [InlineData("")]
    public void Open_PathOutsideTheObjects_IsRefused(string path)
    {
        var failure = Assert.Throws<StoreException>(() => OpenStore().Open(path));
        Assert.Contains("is not a path of an object", failure.Message, StringComparison.Ordinal);
        Assert.Null(OpenStore().LocalPath(path));
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

    [Theory]
    [InlineData(0, 33)]
    [InlineData(31, 33)]
    [InlineData(40, 72)]
    [InlineData(-1, 3)]
    [InlineData(5, 5)]
    public async Task Publish_RowsOfNoOneCell_AreRefused(int start, int end)
    {
        var store = OpenStore();
        var attempt = Attempt();
        var entry = await PutAsync(store, attempt, [1]);
        await Assert.ThrowsAsync<ArgumentException>(() => store.PublishAsync(Manifest(attempt, new(start, end), entry), None));
        Assert.Empty(await store.ListAsync(Key, None));
    }

    [Fact]
    public async Task Publish_ObjectsOfAnotherAttempt_AreRefused()
    {
        var store = OpenStore();
        var (mine, other) = (Attempt(), Attempt());
        var entry = await PutAsync(store, other, [1]);
        await Assert.ThrowsAsync<ArgumentException>(() => store.PublishAsync(Manifest(mine, new(0, 32), entry), None));
        var far = Attempt(64);
        var there = await PutAsync(store, far, [1]);
        // A fence stands in the cell of the attempt's own rows.
        await Assert.ThrowsAsync<ArgumentException>(() => store.PublishAsync(Manifest(far, new(0, 32), there), None));
    }

    [Fact]
    public async Task Publish_ObjectIsShorterThanItSays_Throws()
    {
        var store = OpenStore();
        var attempt = Attempt();
        var entry = await PutAsync(store, attempt, [1, 2, 3]);
        foreach (var longer in new[] { entry with { Bytes = 4 }, entry with { DataOffset = 1 } })
        {
            var failure = await Assert.ThrowsAsync<StoreException>(() => store.PublishAsync(Manifest(attempt, new(0, 32), longer), None));
            Assert.Contains("has 3 bytes and should have 4", failure.Message, StringComparison.Ordinal);
        }
        Assert.True(await store.PublishAsync(Manifest(attempt, new(0, 32), entry), None));
    }

    [Fact]
    public async Task Publish_AnswerToTheCreationIsLost_IsPublishedAndSaysSo()
    {
        var lost = new LostAnswers(Open());
        var store = new TensorStore(lost);
        Assert.True(await PublishAsync(store, Attempt(), new(0, 32)));
        Assert.True(await PublishAsync(store, Attempt(32), new(32, 64)));
        Assert.Equal(2, lost.Lost);
        Assert.Equal([0, 32], (await OpenStore().ListAsync(Key, None)).Select(m => m.RowStart));
    }

    /// <summary>A place that creates, and whose answer is that the name is taken.</summary>
    sealed class LostAnswers(IObjectStore inner) : ObservedObjects(inner)
    {
        public int Lost { get; private set; }

        public override async Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            Lost += await base.TryCreateAsync(name, bytes, cancellationToken) ? 1 : 0;
            return false;
        }
    }
}

public sealed class FolderTensorStoreTests() : TensorStoreSuite(new FolderStorePlace());

[Trait(Needs.Trait, Needs.Process)]
public sealed class BlobTensorStoreTests(BlobServer server) : TensorStoreSuite(new BlobStorePlace(server));

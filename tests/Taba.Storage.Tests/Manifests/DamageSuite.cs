using System.Collections.Concurrent;
using System.Security.Cryptography;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Testing;
using Taba.Testing.Stores;
using static Taba.Testing.Stores.StoreExamples;

namespace Taba.Storage.Tests.Manifests;

/// <summary>What is published and cannot be read any more is named, made void, and computed again.</summary>
public abstract class DamageSuite(StorePlace place, int writers) : StoreSuite(place)
{
    /// <summary>Ways in which an object may be damaged, and how that is said.</summary>
    public static TheoryData<string, string> Damages => new()
    {
        { "bit", "does not have the digest of its manifest" }, { "cut", "has 63 bytes and should have 64" }, { "gone", "is gone" },
        { "empty", "has 0 bytes and should have 64" },
    };

    async Task DamageAsync(string name, string how)
    {
        if (how == "gone")
            await Objects.DeleteAsync(name, None);
        else
            await ChangeAsync(name, bytes => how switch
            {
                "bit" => [.. bytes[..17], (byte)(bytes[17] ^ 4), .. bytes[18..]],
                "cut" => bytes[..^1],
                _ => [],
            });
    }

    /// <summary>Publishes two bytes for each of 32 rows: the row's number and the epoch.</summary>
    async Task<PartManifest> PublishRowsAsync(int start, int epoch = 1)
    {
        var (store, attempt) = (OpenStore(), Attempt(start, epoch));
        var bytes = Enumerable.Range(start, 32).SelectMany(row => new[] { (byte)row, (byte)epoch }).ToArray();
        var manifest = Manifest(attempt, new(start, start + 32), await PutAsync(store, attempt, bytes));
        Assert.True(await store.PublishAsync(manifest, None));
        return manifest;
    }

    static async Task<byte[]> ReadAsync(TensorStore store, RowRange rows)
    {
        using var reader = await StageReader.OpenAsync(store, Key, rows, None);
        var bytes = new byte[rows.Count * 2];
        await Task.Run(() => reader.ReadResult(rows, bytes));
        return bytes;
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public async Task ReadResult_DamagedObject_IsNamedAfterASecondLookAndItsRowsCanBeComputedAgain(string how, string fault)
    {
        var good = await PublishRowsAsync(0);
        var bad = await PublishRowsAsync(32);
        await DamageAsync(bad.Objects[0].Path, how);
        var objects = new ObservedObjects(Objects);
        var store = new TensorStore(objects);

        var damage = await Assert.ThrowsAsync<DamagedRowsException>(() => ReadAsync(store, new(0, 64)));

        Assert.Equal((Key, bad.Rows, bad.Attempt), (damage.StageKey, damage.Rows, damage.Entry!.Attempt));
        Assert.Contains(fault, damage.Message, StringComparison.Ordinal);
        Assert.Contains(store.Where(bad.Objects[0].Path), damage.Message, StringComparison.Ordinal);
        Assert.Equal(2, objects.Calls.Count(c => c == ("open", bad.Objects[0].Path)));
        Assert.Equal([0, 1, 1, 1], (await ReadAsync(store, new(0, 2)))[..4]);

        await store.VoidAsync(damage.Entry, damage.Message, None);
        await store.VoidAsync(damage.Entry, damage.Message, None);
        Assert.Equal(1, store.VoidedHere);
        Assert.Equal([good.Rows], (await OpenStore().ListAsync(Key, None)).Select(m => m.Rows));
        var lost = await Assert.ThrowsAsync<DamagedRowsException>(() => ReadAsync(OpenStore(), new(32, 33)));
        Assert.Null(lost.Entry);

        // Whoever published it is not told that it still is; another may, also with the same epoch.
        Assert.False(await OpenStore().PublishAsync(bad, None));
        var again = await PublishRowsAsync(32, epoch: 2);
        Assert.Equal([32, 2], (await ReadAsync(OpenStore(), new(32, 33)))[..2]);
        // A late second finder of the old damage does not harm it.
        await OpenStore().VoidAsync(damage.Entry, damage.Message, None);
        Assert.Equal(again.Attempt, (await OpenStore().ListAsync(Key, new(32, 33), None)).Single().Attempt);
    }

    [Fact]
    public async Task Publish_ByAVoidAttempt_IsFalseThoughItsObjectIsGoodAgain()
    {
        var manifest = await PublishRowsAsync(0);
        await OpenStore().VoidAsync(manifest, "x", None);
        Assert.False(await OpenStore().PublishAsync(manifest, None));
        Assert.Empty(await OpenStore().ListAsync(Key, None));
    }

    [Fact]
    public async Task ReadResult_TheWayErredOnce_IsReadAgainAndIsGood()
    {
        await PublishRowsAsync(0);
        var times = 0;
        var store = new TensorStore(new OtherReaders(Objects, reader => ++times == 1 ? new Garbled(reader) : reader));
        Assert.Equal([31, 1], await ReadAsync(store, new(31, 32)));
        Assert.Equal(2, times);
    }

    [Fact]
    public async Task ReadResult_PlaceFailedOnce_TheSameReaderGoesOnAndLeavesNothingOpen()
    {
        await PublishRowsAsync(0);
        var opened = new List<Failing>();
        var store = new TensorStore(new OtherReaders(Objects, reader =>
        {
            opened.Add(new(reader) { Fails = opened.Count == 0 });
            return opened[^1];
        }));
        using (var reader = await StageReader.OpenAsync(store, Key, new(0, 32), None))
        {
            var row = new byte[2];
            await Assert.ThrowsAsync<StoreException>(() => Task.Run(() => reader.ReadResult(new(5, 6), row)));
            Assert.True(opened[0].Closed);
            await Task.Run(() => reader.ReadResult(new(5, 6), row));
            Assert.Equal([5, 1], row);
        }
        Assert.Equal(2, opened.Count);
        Assert.All(opened, o => Assert.True(o.Closed));
    }

    [Fact]
    public async Task Verify_DamageOfEveryKind_IsNamedAndAfterRepairThereIsNone()
    {
        var manifests = new List<PartManifest>();
        for (var start = 0; start < 6 * 32; start += 32)
            manifests.Add(await PublishRowsAsync(start));
        await OpenStore().DescribeStageAsync(Key, Spec(), None);
        string[] how = ["bit", "cut", "gone"];
        for (var i = 0; i < how.Length; i++)
            await DamageAsync(manifests[i].Objects[0].Path, how[i]);
        await ChangeAsync(StoredCells.Name(Key, 96, 1), bytes => bytes[..^9]);
        var names = await NamesAsync("stages/");

        var (looker, told) = (OpenStore(mends: false), new List<string>());
        looker.Damaged += (where, _) => told.Add(where);
        var said = await looker.VerifyAsync(null, repair: false, None).ToListAsync(None);
        Assert.Equal([0, 32, 64], said.Select(d => d.Rows.Start));
        Assert.Equal(Objects.Where(StoredCells.Name(Key, 96, 1)), Assert.Single(told));
        Assert.Equal(names, await NamesAsync("stages/"));

        var repairer = OpenStore();
        Assert.Equal([0, 32, 64], (await repairer.VerifyAsync(Key, repair: true, None).ToListAsync(None)).Select(d => d.Rows.Start));
        Assert.Equal(3, repairer.VoidedHere);

        var second = OpenStore();
        second.Damaged += (where, _) => Assert.Fail(where);
        Assert.Empty(await second.VerifyAsync(null, repair: false, None).ToListAsync(None));
        Assert.Equal([128, 160], (await second.ListAsync(Key, None)).Select(m => m.RowStart));
        Assert.Equal(RowSet.Of(new RowRange(128, 192)), (await second.ListStagesAsync(None).ToListAsync(None)).Single().Rows);
        foreach (var start in new[] { 0, 32, 64, 96 })
            await PublishRowsAsync(start, epoch: 2);
        Assert.Empty(await second.VerifyAsync(null, repair: false, None).ToListAsync(None));
    }

    [Fact]
    public async Task VoidAndPublish_ManyAtOnceInOneCell_LoseNothing()
    {
        // Every row is published by two rivals, made void by whoever finds it, and published again, all at once.
        var wins = new ConcurrentDictionary<Guid, int>();
        await Task.WhenAll(Enumerable.Range(0, writers).Select(row => Task.Run(async () =>
        {
            var store = OpenStore();
            for (var epoch = 1; epoch <= 3; epoch++)
            {
                var attempts = new[] { Attempt(row, epoch), Attempt(row, epoch + 10) };
                var manifests = new List<PartManifest>();
                foreach (var attempt in attempts)
                    manifests.Add(Manifest(attempt, new(row, row + 1), await PutAsync(store, attempt, [(byte)row])));
                var won = await Task.WhenAll(manifests.Select(m => store.PublishAsync(m, None)));
                Assert.Single(won, w => w);
                var winner = manifests[Array.IndexOf(won, true)];
                if (epoch == 3)
                    wins[winner.Attempt] = row;
                else
                    await Task.WhenAll(store.VoidAsync(winner, "damaged", None), OpenStore().VoidAsync(winner, "damaged", None));
            }
        })));
        var listed = await OpenStore().ListAsync(Key, None);
        Assert.Equal(wins.OrderBy(w => w.Value).Select(w => w.Key), listed.Select(m => m.Attempt));
        Assert.Equal(writers, listed.Length);
        // Three publications and two entries made void for each row; no version was written for nothing.
        Assert.Equal(writers * 5, (await NamesAsync($"stages/{Key}/cells/")).Count);
    }

    [Fact]
    public async Task ReadKept_RowsOfSeveralParts_AreThoseOfTheirStep()
    {
        var store = OpenStore();
        foreach (var (start, end) in new[] { (0, 5), (5, 32) })
        {
            var attempt = Attempt(start);
            var kept = Enumerable.Range(0, 2).SelectMany(step => Enumerable.Range(start, end - start).Select(r => (byte)(100 * step + r)));
            Assert.True(await store.PublishAsync(Manifest(
                attempt, new(start, end), await PutAsync(store, attempt, [.. Enumerable.Range(start, end - start).Select(r => (byte)r)]),
                await PutAsync(store, attempt, [.. kept], "all_t_eps_samples", TensorKinds.Eps, 3, 7)), None));
        }
        using var reader = await StageReader.OpenAsync(OpenStore(), Key, new(0, 32), None);
        var rows = new byte[6];
        await Task.Run(() => reader.ReadKept(TensorKinds.Eps, 7, new(2, 8), rows));
        Assert.Equal([102, 103, 104, 105, 106, 107], rows);
        await Task.Run(() => reader.ReadResult(new(2, 8), rows));
        Assert.Equal([2, 3, 4, 5, 6, 7], rows);
        Assert.Equal(RowSet.Of(new RowRange(0, 32)), reader.Rows(TensorKinds.Eps, 3));
        Assert.Equal(RowSet.Empty, reader.Rows(TensorKinds.Eps, 4));
        Assert.Null(Assert.Throws<DamagedRowsException>(() => reader.ReadKept(TensorKinds.Eps, 4, new(2, 8), rows)).Entry);
        Assert.Throws<DamagedRowsException>(() => reader.ReadResult(new(31, 33), new byte[2]));
    }

    [Fact]
    public async Task Digest_LargeObject_IsCheckedOnceHoweverManyRead()
    {
        var (store, attempt) = (OpenStore(), Attempt());
        var bytes = new byte[(3 << 20) + 5];
        RandomNumberGenerator.Fill(bytes);
        Assert.True(await store.PublishAsync(Manifest(attempt, new(0, 1), await PutAsync(store, attempt, bytes)), None));
        var objects = new ObservedObjects(Objects);
        using var reader = await StageReader.OpenAsync(new(objects), Key, new(0, 1), None);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() =>
        {
            var read = new byte[bytes.Length];
            reader.ReadResult(new(0, 1), read);
            Assert.True(read.AsSpan().SequenceEqual(bytes));
        })));
        Assert.Single(objects.Calls, c => c.Call == "open");
    }

    /// <summary>A place whose readers are others.</summary>
    sealed class OtherReaders(IObjectStore inner, Func<IObjectReader, IObjectReader> other) : ObservedObjects(inner)
    {
        public override IObjectReader? Open(string name) => base.Open(name) is { } reader ? other(reader) : null;
    }

    sealed class Garbled(IObjectReader inner) : IObjectReader
    {
        public long Length => inner.Length;

        public void Read(long offset, Span<byte> buffer)
        {
            inner.Read(offset, buffer);
            buffer[0] ^= 1;
        }

        public void Dispose() => inner.Dispose();
    }

    sealed class Failing(IObjectReader inner) : IObjectReader
    {
        public bool Fails { get; init; }

        public bool Closed { get; private set; }

        public long Length => inner.Length;

        public void Read(long offset, Span<byte> buffer)
        {
            if (Fails)
                throw new StoreException("the network is unreachable");
            inner.Read(offset, buffer);
        }

        public void Dispose()
        {
            Closed = true;
            inner.Dispose();
        }
    }
}

public sealed class FolderDamageTests() : DamageSuite(new FolderStorePlace(), writers: 16);

[Trait(Needs.Trait, Needs.Process)]
public sealed class BlobDamageTests(BlobServer server) : DamageSuite(new BlobStorePlace(server), writers: 5);

using System.Text;
using System.Text.Json.Nodes;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Testing;
using Taba.Testing.Stores;
using static Taba.Testing.Stores.StoreExamples;

namespace Taba.Storage.Tests.Manifests;

/// <summary>Versions of cells: what is damaged in them is found, named, passed over and mended.</summary>
public abstract class CellSuite(StorePlace place) : StoreSuite(place)
{
    static string Version(int version) => StoredCells.Name(Key, 0, version);

    /// <summary>Rows [0, 5) stand in version 1, and rows [6, 32) came with version 2.</summary>
    async Task<TensorStore> TwoVersionsAsync()
    {
        var store = OpenStore();
        Assert.True(await PublishAsync(store, Attempt(epoch: 1), new(0, 5)));
        Assert.True(await PublishAsync(store, Attempt(epoch: 2), new(6, 32)));
        Assert.Equal([Version(1), Version(2)], await NamesAsync($"stages/{Key}/cells/"));
        return store;
    }

    /// <summary>Version 2 is damaged: both kinds of reader say so, and only the one that mends writes.</summary>
    async Task AssertMendedAsync(string fault, params int[] left)
    {
        var names = await NamesAsync("stages/");
        foreach (var mends in new[] { false, true })
        {
            foreach (var ranged in new[] { true, false })
            {
                // In the second round the mended version is there.
                var told = new List<(string Where, string Fault)>();
                var store = OpenStore(mends);
                store.Damaged += (where, what) => told.Add((where, what));
                var listed = ranged ? await store.ListAsync(Key, new(0, 32), None) : await store.ListAsync(Key, None);
                Assert.Equal(left, listed.Select(m => m.RowStart));
                if (mends && !ranged)
                    Assert.Empty(told);
                else
                {
                    Assert.Equal(Objects.Where(Version(2)), Assert.Single(told).Where);
                    Assert.Contains(fault, told[0].Fault, StringComparison.Ordinal);
                }
                if (!mends)
                    Assert.Equal(names, await NamesAsync("stages/"));
            }
        }
        var mended = JsonNode.Parse(await Objects.ReadAsync(Version(3), 1 << 20, None))!;
        Assert.Contains("version 2 of the cell cannot be read", (string)mended["void"]![0]!["reason"]!, StringComparison.Ordinal);
        Assert.DoesNotContain(Version(4), await NamesAsync("stages/"));
        // The rows are free, for whoever comes.
        Assert.True(await PublishAsync(OpenStore(), Attempt(epoch: 7), new(6, 32)));
        Assert.Equal([.. left, 6], (await OpenStore().ListAsync(Key, None)).Select(m => m.RowStart));
    }

    [Theory]
    [InlineData("stage_key", "\"ff\"", "speaks of stage ff")]
    [InlineData("row_start", "-1", "speaks of rows")]
    [InlineData("row_start", "0", "two of its manifests hold the same rows")]
    [InlineData("row_end", "33", "do not lie in one cell")]
    [InlineData("row_end", "6", "speaks of rows")]
    [InlineData("row_end", "2147483648", "row_end")]
    [InlineData("objects", "[]", "names no objects")]
    [InlineData("objects", "null", "manifests[1].objects")]
    [InlineData("objects", "[null]", "an object lacks")]
    [InlineData("attempt", "\"0123456789abcdef0123456789abcdef\"", "attempt")]
    [InlineData("attempt", "\"00000000-0000-0000-0000-000000000000\"", "not one of its attempt's objects")]
    [InlineData("published_at", "\"yesterday\"", "published_at")]
    [InlineData("device", "null", "device")]
    public async Task List_HostileManifest_TheVersionIsDamaged(string field, string value, string fault)
    {
        await TwoVersionsAsync();
        await EditAsync(document => document["manifests"]![1]![field] = JsonNode.Parse(value));
        await AssertMendedAsync(fault, 0);
    }

    [Theory]
    [InlineData("path", "\"../../../../etc/passwd\"", "not one of its attempt's objects")]
    [InlineData("path", "\"stages/ff/objects/00000000-1-0123456789abcdef0123456789abcdef/x.safetensors\"", "not one of its attempt's")]
    [InlineData("path", "null", "path")]
    [InlineData("data_offset", "-1", "claims")]
    [InlineData("bytes", "-1", "claims")]
    [InlineData("bytes", "9223372036854775807", "claims")]
    [InlineData("steps", "null", "objects[0].steps")]
    [InlineData("shape", "null", "objects[0].shape")]
    [InlineData("kind", "\"Nothing\"", "kind")]
    public async Task List_HostileObject_TheVersionIsDamaged(string field, string value, string fault)
    {
        await TwoVersionsAsync();
        await EditAsync(document =>
        {
            var entry = document["manifests"]![1]!["objects"]![0]!;
            entry["data_offset"] = 8;
            entry[field] = JsonNode.Parse(value);
        });
        await AssertMendedAsync(fault, 0);
    }

    [Theory]
    [InlineData("manifests", "null")]
    [InlineData("manifests", "[null]")]
    [InlineData("manifests", "{}")]
    [InlineData("void", "null")]
    [InlineData("void", "[null]")]
    [InlineData("fenced", "null")]
    [InlineData("fenced", "[1]")]
    [InlineData("schema", "\"2\"")]
    public async Task List_HostileDocument_TheVersionIsDamaged(string field, string value)
    {
        await TwoVersionsAsync();
        await EditAsync(document => document[field] = JsonNode.Parse(value));
        await AssertMendedAsync("", 0);
    }

    [Theory]
    [InlineData("manifests")]
    [InlineData("void")]
    [InlineData("fenced")]
    [InlineData("schema")]
    public async Task List_DocumentWithoutAField_TheVersionIsDamaged(string field)
    {
        await TwoVersionsAsync();
        await EditAsync(document => document.AsObject().Remove(field));
        await AssertMendedAsync(field, 0);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("\0\0\0\0")]
    public async Task List_NoDocumentAtAll_TheVersionIsDamaged(string text)
    {
        await TwoVersionsAsync();
        await ChangeAsync(Version(2), _ => Encoding.UTF8.GetBytes(text));
        await AssertMendedAsync("does not have its digest", 0);
    }

    [Fact]
    public async Task List_OneBitFlippedWhereTheRowsAre_TheVersionIsDamaged()
    {
        // A document as good as before, but for the rows: without its digest it would give rows the numbers of others.
        await TwoVersionsAsync();
        await ChangeAsync(Version(2), bytes =>
        {
            var text = Encoding.ASCII.GetString(bytes);
            bytes[text.IndexOf("\"row_start\": 6", StringComparison.Ordinal) + 13] ^= 1;
            return bytes;
        });
        await AssertMendedAsync("does not have its digest", 0);
    }

    [Fact]
    public async Task List_TruncatedVersion_TheVersionIsDamaged()
    {
        await TwoVersionsAsync();
        await ChangeAsync(Version(2), bytes => bytes[..(bytes.Length / 2)]);
        await AssertMendedAsync("does not have its digest", 0);
    }

    [Fact]
    public async Task List_VersionOfAbsurdSize_IsNotReadAndIsDamaged()
    {
        await TwoVersionsAsync();
        await ChangeAsync(Version(2), _ => new byte[CellDocument.MostBytes + 1]);
        await AssertMendedAsync("has 67108865 bytes, more than", 0);
    }

    [Fact]
    public async Task List_EveryVersionDamaged_NothingIsPublished()
    {
        await TwoVersionsAsync();
        await ChangeAsync(Version(1), _ => [1]);
        await ChangeAsync(Version(2), _ => [2]);
        await AssertMendedAsync("does not have its digest");
    }

    [Fact]
    public async Task List_AnEarlierVersionDamaged_DoesNotMatter()
    {
        await TwoVersionsAsync();
        await ChangeAsync(Version(1), _ => [1]);
        var store = OpenStore();
        store.Damaged += (where, _) => Assert.Fail(where);
        Assert.Equal([0, 6], (await store.ListAsync(Key, None)).Select(m => m.RowStart));
        Assert.True(await PublishAsync(store, Attempt(epoch: 3), new(5, 6)));
    }

    [Fact]
    public async Task List_NewestVersionVanished_TheCellIsAsBeforeAndGoesOn()
    {
        await TwoVersionsAsync();
        await Objects.DeleteAsync(Version(2), None);
        Assert.Equal([0], (await OpenStore().ListAsync(Key, None)).Select(m => m.RowStart));
        Assert.True(await PublishAsync(OpenStore(), Attempt(epoch: 3), new(6, 32)));
        Assert.Equal([0, 6], (await OpenStore().ListAsync(Key, None)).Select(m => m.RowStart));
    }

    [Fact]
    public async Task List_VersionIsListedAndNeverThere_TheVersionIsDamaged()
    {
        await TwoVersionsAsync();
        var store = new TensorStore(new Answers(Objects, (name, _) => name == Version(2) ? null : []));
        var told = new List<string>();
        store.Damaged += (where, what) => told.Add($"{where}: {what}");
        Assert.Equal([0], (await store.ListAsync(Key, None)).Select(m => m.RowStart));
        Assert.Equal($"{Objects.Where(Version(2))}: it is gone", Assert.Single(told));
        Assert.Contains(Version(3), await NamesAsync("stages/"));
    }

    [Fact]
    public async Task List_StageIsRemovedBetweenItsNamesAndItsVersions_IsEmpty()
    {
        await TwoVersionsAsync();
        var objects = new ObservedObjects(Objects);
        var removed = false;
        objects.Before = async (call, _) =>
        {
            if (call != "read" || removed)
                return;
            removed = true;
            await OpenStore().RemoveStageAsync(Key, None);
        };
        var store = new TensorStore(objects);
        store.Damaged += (where, _) => Assert.Fail(where);
        Assert.Empty(await store.ListAsync(Key, None));
        Assert.True(removed);
        Assert.Empty(await NamesAsync("stages/"));
    }

    [Fact]
    public async Task List_TheWayErredOnce_IsReadAgainAndNothingIsDamaged()
    {
        await TwoVersionsAsync();
        var objects = new Answers(Objects, (name, times) => name == Version(2) && times == 1 ? "garbage"u8.ToArray() : []);
        var store = new TensorStore(objects);
        store.Damaged += (where, _) => Assert.Fail(where);
        Assert.Equal([0, 6], (await store.ListAsync(Key, None)).Select(m => m.RowStart));
        Assert.DoesNotContain(Version(3), await NamesAsync("stages/"));
    }

    [Fact]
    public async Task List_EightFindTheDamageAtOnce_ItIsMendedOnce()
    {
        await TwoVersionsAsync();
        await ChangeAsync(Version(2), _ => [1]);
        var stores = Enumerable.Range(0, 8).Select(_ => OpenStore()).ToList();
        var lists = await Task.WhenAll(stores.Select(s => Task.Run(() => s.ListAsync(Key, None))));
        Assert.All(lists, l => Assert.Equal([0], l.Select(m => m.RowStart)));
        Assert.Equal([Version(1), Version(2), Version(3)], await NamesAsync($"stages/{Key}/cells/"));
    }

    [Fact]
    public async Task AnyCall_NewerSchema_IsRefusedAndNothingIsWrittenOrDeleted()
    {
        var store = await TwoVersionsAsync();
        var attempt = Attempt(epoch: 9);
        var entry = await PutAsync(store, attempt, [1]);
        await EditAsync(document => document["schema"] = CellDocument.CurrentSchema + 1);
        var names = await NamesAsync("stages/");
        Func<TensorStore, Task>[] calls =
        [
            s => s.ListAsync(Key, None), s => s.ListAsync(Key, new(0, 1), None),
            s => s.PublishAsync(Manifest(attempt, new(5, 6), entry), None), s => s.DeleteAttemptAsync(attempt, None),
            s => s.SweepAsync(_ => Task.FromResult<IReadOnlySet<Guid>>(new HashSet<Guid>()), None),
            async s => await s.VerifyAsync(null, repair: true, None).ToListAsync(None),
        ];
        foreach (var call in calls)
        {
            var refused = await Assert.ThrowsAsync<StoreException>(() => call(OpenStore()));
            Assert.Contains("a newer version of Taba wrote", refused.Message, StringComparison.Ordinal);
        }
        Assert.Equal(names, await NamesAsync("stages/"));
        Assert.Equal([1], ReadAll(store, entry.Path));
    }

    [Fact]
    public async Task List_RowsOfAStageOfAThousandCells_AsksForTheirCellOnly()
    {
        const int cells = 1000;
        await Parallel.ForEachAsync(Enumerable.Range(0, cells), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            var attempt = Attempt(i * 32);
            var entry = new ObjectEntry(
                "samples", TensorKinds.None, [], $"stages/{Key}/objects/{attempt.Name}/samples.safetensors", [32], "uint8", 0, 32, "");
            var document = CellDocument.Empty.With([Manifest(attempt, new(i * 32, i * 32 + 32), entry)]);
            await Objects.ReplaceAsync(StoredCells.Name(Key, i * 32, 1), document.Write(), None);
        });
        var objects = new ObservedObjects(Objects);
        var store = new TensorStore(objects);
        using (var reader = await StageReader.OpenAsync(store, Key, new(500 * 32, 501 * 32), None))
            Assert.Equal(500 * 32, Assert.Single(reader.Manifests).RowStart);
        Assert.Equal([("list", $"stages/{Key}/cells/{500 * 32:D10}/"), ("read", StoredCells.Name(Key, 500 * 32, 1))], objects.Calls);

        // What was read once is not read again.
        objects.Clear();
        Assert.Single(await store.ListAsync(Key, new(500 * 32, 501 * 32), None));
        Assert.Single(objects.Calls);

        objects.Clear();
        Assert.Equal(cells, (await store.ListAsync(Key, None)).Length);
        Assert.Equal(cells - 1, objects.Calls.Count(c => c.Call == "read"));
        Assert.Single(objects.Calls, c => c.Call == "list");
        objects.Clear();
        Assert.Equal(cells, (await store.ListAsync(Key, None)).Length);
        Assert.Single(objects.Calls);
    }

    Task EditAsync(Action<JsonObject> edit) => ChangeAsync(Version(2), bytes => StoredCells.Edited(bytes, edit));

    /// <summary>A place that gives other answers to some reads: null for nothing there, empty for the truth.</summary>
    sealed class Answers(IObjectStore inner, Func<string, int, byte[]?> answer) : ObservedObjects(inner)
    {
        public override async Task<byte[]?> ReadAsync(string name, int mostBytes, CancellationToken cancellationToken)
        {
            var truth = await base.ReadAsync(name, mostBytes, cancellationToken);
            return answer(name, Calls.Count(c => c == ("read", name))) is { Length: 0 } ? truth
                : answer(name, Calls.Count(c => c == ("read", name)));
        }
    }
}

public sealed class FolderCellTests() : CellSuite(new FolderStorePlace());

[Trait(Needs.Trait, Needs.Process)]
public sealed class BlobCellTests(BlobServer server) : CellSuite(new BlobStorePlace(server));

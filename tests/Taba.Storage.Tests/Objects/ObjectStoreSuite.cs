using System.Text;
using Taba.Storage.Objects;
using Taba.Testing.Stores;

namespace Taba.Storage.Tests.Objects;

/// <summary>What every place promises (IObjectStore).</summary>
public abstract class ObjectStoreSuite(StorePlace place) : StoreSuite(place)
{
    const int Most = 1 << 20;

    static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    [Fact]
    public async Task TryCreate_EightAtOnceFiftyTimes_ExactlyOneWinsAndItsBytesStay()
    {
        var stores = Enumerable.Range(0, 8).Select(_ => Open()).ToArray();
        for (var round = 0; round < 50; round++)
        {
            var name = $"cells/{round}/v1";
            using var start = new Barrier(stores.Length);
            var wins = await Task.WhenAll(stores.Select((store, who) => Task.Factory.StartNew(
                () =>
                {
                    start.SignalAndWait();
                    return store.TryCreateAsync(name, Bytes($"writer {who}"), None).GetAwaiter().GetResult();
                },
                None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));

            Assert.Single(wins, won => won);
            Assert.Equal($"writer {Array.IndexOf(wins, true)}", Encoding.UTF8.GetString((await Open().ReadAsync(name, Most, None))!));
        }
        Assert.Equal(50, (await NamesAsync("cells/")).Count);
    }

    [Fact]
    public async Task TryCreate_TakenByAnyKindOfWrite_IsFalse()
    {
        var store = Open();
        await store.ReplaceAsync("a/replaced", Bytes("1"), None);
        await PutAsync(store, "a/put", Bytes("2"));
        using (var writer = store.Create("a/written", 1))
        {
            writer.Write(Bytes("3"));
            writer.Complete([]);
        }
        foreach (var (name, content) in new[] { ("a/replaced", "1"), ("a/put", "2"), ("a/written", "3") })
        {
            Assert.False(await store.TryCreateAsync(name, Bytes("x"), None));
            Assert.Equal(Bytes(content), await store.ReadAsync(name, Most, None));
        }
    }

    [Fact]
    public async Task TryCreate_FolderIsEmptiedAllTheTime_EveryCreationIsThere()
    {
        // The last object of a folder goes, and its folder with it, while another object comes into it.
        var (one, other) = (Open(), Open());
        for (var round = 0; round < 50; round++)
        {
            var (mine, theirs) = ($"f/{round}/mine", $"f/{round}/theirs");
            Assert.True(await one.TryCreateAsync(theirs, Bytes("x"), None));
            var creation = round % 2 == 0 ? one.TryCreateAsync(mine, Bytes("y"), None) : one.ReplaceAsync(mine, Bytes("y"), None);
            await Task.WhenAll(other.DeleteAsync(theirs, None), creation);
            Assert.Equal([mine], await NamesAsync($"f/{round}/"));
        }
    }

    [Fact]
    public async Task Delete_ByEightAtOnce_IsFineForEach()
    {
        var stores = Enumerable.Range(0, 8).Select(_ => Open()).ToArray();
        for (var round = 0; round < 20; round++)
        {
            var name = $"f/{round}/x";
            await stores[0].ReplaceAsync(name, Bytes("x"), None);
            await Task.WhenAll(stores.Select(store => Task.Run(() => store.DeleteAsync(name, None))));
            Assert.Empty(await NamesAsync($"f/{round}/"));
        }
    }

    [Fact]
    public async Task Replace_WhileOthersRead_IsNeverAMixture()
    {
        var store = Open();
        const int length = 256 << 10;
        await store.ReplaceAsync("a/b", new byte[length], None);
        using var done = new CancellationTokenSource();
        var readers = Enumerable.Range(0, 3).Select(_ => Task.Run(async () =>
        {
            var (own, reads) = (Open(), 0);
            while (!done.IsCancellationRequested || reads == 0)
            {
                var read = (await own.ReadAsync("a/b", Most, None))!;
                Assert.Equal(length, read.Length);
                Assert.Equal(-1, read.AsSpan().IndexOfAnyExcept(read[0]));
                reads++;
            }
        })).ToArray();
        for (byte round = 1; round <= 40; round++)
            await store.ReplaceAsync("a/b", Enumerable.Repeat(round, length).ToArray(), None);
        await done.CancelAsync();
        await Task.WhenAll(readers);
        Assert.Equal(40, (await store.ReadAsync("a/b", Most, None))![0]);
    }

    [Fact]
    public async Task Put_FinishedFile_IsTheObjectAndTheFileIsGone()
    {
        var store = Open();
        var file = await PutAsync(store, "stages/a/objects/x", [1, 2, 3]);
        Assert.False(File.Exists(file));
        Assert.Equal([1, 2, 3], await Open().ReadAsync("stages/a/objects/x", Most, None));
        Assert.Equal(3, await Open().LengthAsync("stages/a/objects/x", None));
    }

    [Fact]
    public async Task Put_FileIsNotThere_FailsAndNothingIsThere()
    {
        var store = Open();
        await Assert.ThrowsAsync<StoreException>(() => store.PutAsync("a/b", Path.Combine(store.Scratch, "nothing"), None));
        Assert.Null(await store.ReadAsync("a/b", Most, None));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData((33 << 20) + 17)]
    public async Task Open_ObjectOfAnySize_IsReadInRangesFromManyThreads(int length)
    {
        var store = Open();
        var bytes = new byte[length];
        new Random(1).NextBytes(bytes);
        await PutAsync(store, "a/large", bytes);
        using var reader = await Task.Run(() => Open().Open("a/large"));
        Assert.NotNull(reader);
        Assert.Equal(length, reader.Length);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(() =>
        {
            var random = new Random(thread);
            for (var i = 0; i < 8; i++)
            {
                var at = random.Next(length);
                // Pieces that follow one another are fetched ahead; the others are not.
                foreach (var wish in new[] { 1, 5000, 64 << 10, 64 << 10, 2_000_000 })
                {
                    var read = new byte[Math.Min(wish, length - at)];
                    reader.Read(at, read);
                    Assert.True(read.AsSpan().SequenceEqual(bytes.AsSpan(at, read.Length)));
                    at += read.Length;
                }
            }
        })));
    }

    [Fact]
    public async Task Read_OutsideTheObject_Throws()
    {
        var store = Open();
        await store.ReplaceAsync("a/b", new byte[] { 1, 2, 3 }, None);
        using var reader = await Task.Run(() => store.Open("a/b"));
        Assert.NotNull(reader);
        foreach (var (offset, bytes) in new[] { (2L, 2), (-1, 1), (3, 1), (long.MaxValue, 2), (long.MinValue, 1) })
            Assert.Throws<StoreException>(() => reader.Read(offset, new byte[bytes]));
        reader.Read(3, []);
        var whole = new byte[3];
        reader.Read(0, whole);
        Assert.Equal([1, 2, 3], whole);
    }

    [Fact]
    public async Task Open_ObjectIsDeletedOrReplacedLater_NeverGivesOtherBytes()
    {
        var store = Open();
        await store.ReplaceAsync("a/small", new byte[] { 1, 2 }, None);
        var large = new byte[33 << 20];
        await PutAsync(store, "a/large", large);
        using var small = await Task.Run(() => store.Open("a/small"));
        using var reader = await Task.Run(() => store.Open("a/large"));
        await store.ReplaceAsync("a/small", new byte[] { 3, 4 }, None);
        await PutAsync(store, "a/large", [.. Enumerable.Repeat((byte)7, large.Length)]);
        foreach (var (open, offset) in new[] { (small!, 0L), (reader!, 5L << 20) })
        {
            var two = new byte[2];
            try
            {
                open.Read(offset, two);
                Assert.Equal(offset == 0 ? [1, 2] : [0, 0], two);
            }
            catch (StoreException)
            {
                // A place that does not keep the old bytes says so.
            }
        }
    }

    [Fact]
    public async Task Read_LargerThanAsked_IsRefusedAndSaysHowLarge()
    {
        var store = Open();
        await store.ReplaceAsync("a/b", new byte[100], None);
        Assert.Equal(100, (await store.ReadAsync("a/b", 100, None))!.Length);
        var refused = await Assert.ThrowsAsync<ObjectTooLargeException>(() => store.ReadAsync("a/b", 99, None));
        Assert.Contains("100 bytes", refused.Message, StringComparison.Ordinal);
        Assert.Contains(store.Where("a/b"), refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_NothingOfThatName_IsNullInEveryWay()
    {
        var store = Open();
        await store.ReplaceAsync("a/b", Bytes("x"), None);
        // Nothing; a beginning of a name; a name that goes on behind an object's.
        foreach (var name in new[] { "nothing", "a/c", "z/y/x", "a", "a/b/c" })
        {
            Assert.Null(await store.ReadAsync(name, Most, None));
            Assert.Null(await store.LengthAsync(name, None));
            Assert.Null(await Task.Run(() => store.Open(name)));
        }
        foreach (var prefix in new[] { "nothing/", "a/b/", "z/y/" })
        {
            Assert.Empty(await NamesAsync(prefix));
            Assert.Empty(await store.FoldersAsync(prefix, None).ToListAsync(None));
            Assert.Equal(0, await store.DeleteAllAsync(prefix, None));
        }
        await store.DeleteAsync("nothing", None);
        await store.DeleteAsync("z/y/x", None);
        Assert.Equal(["a/b"], await NamesAsync("a/"));
    }

    [Fact]
    public async Task List_ManyNames_AreInOrderWithTheirSizes()
    {
        var store = Open();
        // A slash sorts behind a dash and a dot: what is below "a" lies between "a." and "a0".
        string[] names = ["p/a-", "p/a.x", "p/a/b", "p/a/b.json", "p/a0", "p/A", "p/b/c/d/e", "p/b/c", "p/b/cc", "p/ü", "pp/x", "q"];
        for (var i = 0; i < names.Length; i++)
        {
            if (names[i] != "p/b/c")
                await store.ReplaceAsync(names[i], new byte[i], None);
        }
        var listed = await Open().ListAsync("p/", None).ToListAsync(None);

        var expected = names.Where(n => n.StartsWith("p/", StringComparison.Ordinal) && n != "p/b/c").Order(StringComparer.Ordinal);
        Assert.Equal(expected, listed.Select(o => o.Name));
        Assert.All(listed, o => Assert.Equal(Array.IndexOf(names, o.Name), o.Bytes));
        Assert.All(listed, o => Assert.InRange(o.LastWrite, DateTimeOffset.UnixEpoch.AddDays(1), DateTimeOffset.MaxValue));
        Assert.Equal(["p/a/b", "p/a/b.json"], await NamesAsync("p/a/"));
        Assert.Equal(["a", "b"], await store.FoldersAsync("p/", None).ToListAsync(None));
        Assert.Equal(["d"], await store.FoldersAsync("p/b/c/", None).ToListAsync(None));
    }

    [Fact]
    public async Task List_WhatWasJustCreatedAndDeleted_IsAsItIsNow()
    {
        var (one, other) = (Open(), Open());
        for (var i = 0; i < 20; i++)
        {
            Assert.True(await one.TryCreateAsync($"a/{i:D2}", Bytes("x"), None));
            Assert.Equal(i + 1, await other.ListAsync("a/", None).CountAsync(None));
        }
        for (var i = 0; i < 20; i++)
        {
            await one.DeleteAsync($"a/{i:D2}", None);
            Assert.Equal(19 - i, await other.ListAsync("a/", None).CountAsync(None));
        }
    }

    [Fact]
    public async Task List_WhileOthersWriteAndDelete_FailsNeverAndShowsWhatStays()
    {
        var store = Open();
        await store.ReplaceAsync("a/5/stays", Bytes("x"), None);
        using var done = new CancellationTokenSource();
        var writer = Task.Run(async () =>
        {
            var own = Open();
            for (var i = 0; !done.IsCancellationRequested; i = (i + 1) % 10)
            {
                await own.ReplaceAsync($"a/{i}/comes", Bytes("y"), None);
                await own.DeleteAsync($"a/{i}/comes", None);
            }
        });
        for (var i = 0; i < 60; i++)
        {
            var names = await store.ListAsync("a/", None).Select(o => o.Name).ToListAsync(None);
            Assert.Contains("a/5/stays", names);
            Assert.All(names, n => Assert.Matches(@"\Aa/[0-9]/(stays|comes)\z", n));
        }
        await done.CancelAsync();
        await writer;
    }

    [Fact]
    public async Task DeleteAll_Prefix_OnlyWhatIsBelow()
    {
        var store = Open();
        foreach (var name in new[] { "a/b/1", "a/b/2", "a/b/c/3", "a/bb/4", "a/b.5" })
            await store.ReplaceAsync(name, Bytes("x"), None);
        Assert.Equal(3, await store.DeleteAllAsync("a/b/", None));
        Assert.Equal(["a/b.5", "a/bb/4"], await NamesAsync("a/"));
        Assert.Equal(0, await store.DeleteAllAsync("a/b/", None));
        Assert.True(await store.TryCreateAsync("a/b/1", Bytes("y"), None));
    }

    [Fact]
    public async Task Create_Abandoned_LeavesWhatWasThere()
    {
        var store = Open();
        await store.ReplaceAsync("a/b", Bytes("before"), None);
        using (var writer = store.Create("a/b", 100))
            writer.Write(new byte[100_000]);
        using (var writer = store.Create("a/new", 100))
            writer.Write(new byte[100_000]);
        Assert.Equal(Bytes("before"), await store.ReadAsync("a/b", Most, None));
        Assert.Equal(["a/b"], await NamesAsync("a/"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(200_000)]
    public async Task Create_HeadWrittenLast_IsInTheWholeObject(int length)
    {
        var store = Open();
        var bytes = new byte[length];
        new Random(2).NextBytes(bytes);
        using (var writer = store.Create("a/b", length))
        {
            for (var at = 0; at < length; at += 4999)
                writer.Write(bytes.AsSpan(at, Math.Min(4999, length - at)));
            Assert.Null(await Open().LengthAsync("a/b", None));
            writer.Complete(bytes.Length >= 5 ? "HEAD!"u8 : []);
        }
        if (length >= 5)
            "HEAD!"u8.CopyTo(bytes);
        Assert.Equal(bytes, await Open().ReadAsync("a/b", Most, None));
    }

    [Fact]
    public async Task Calls_AlreadyCancelled_DoNothing()
    {
        var store = Open();
        await store.ReplaceAsync("a/b", Bytes("x"), None);
        var cancelled = new CancellationToken(canceled: true);
        Func<Task>[] calls =
        [
            () => store.ReadAsync("a/b", Most, cancelled), () => store.LengthAsync("a/b", cancelled),
            () => store.DeleteAsync("a/b", cancelled), () => store.ReplaceAsync("a/b", Bytes("y"), cancelled),
            () => store.TryCreateAsync("a/c", Bytes("y"), cancelled), () => store.DeleteAllAsync("a/", cancelled),
            async () => await store.ListAsync("a/", cancelled).ToListAsync(None),
        ];
        foreach (var call in calls)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(call);
        Assert.Equal(["a/b"], await NamesAsync("a/"));
        Assert.Equal(Bytes("x"), await store.ReadAsync("a/b", Most, None));
    }

    /// <summary>Writes a file in scratch and puts it.</summary>
    protected static async Task<string> PutAsync(IObjectStore store, string name, byte[] bytes)
    {
        Directory.CreateDirectory(store.Scratch);
        var file = Path.Combine(store.Scratch, $"{Guid.NewGuid():N}");
        await File.WriteAllBytesAsync(file, bytes);
        await store.PutAsync(name, file, None);
        return file;
    }
}

using Taba.Storage.Objects;
using Taba.Testing;
using Taba.Testing.Stores;

namespace Taba.Storage.Tests.Objects;

public sealed class FolderObjectsTests : ObjectStoreSuite
{
    static readonly byte[] s_x = [1];

    readonly FolderStorePlace _place;

    public FolderObjectsTests() : this(new())
    {
    }

    FolderObjectsTests(FolderStorePlace place) : base(place) => _place = place;

    string At(params string[] names) => Path.Combine([_place.Path, .. names]);

    [Theory]
    [InlineData("a")]
    [InlineData("a/b")]
    [InlineData("a/b/c")]
    public async Task EveryCall_ThroughALink_IsRefusedAndNothingOutsideIsTouched(string link)
    {
        var store = Open();
        var outside = At("outside");
        Directory.CreateDirectory(Path.Combine(outside, "b"));
        var target = Path.Combine(outside, link == "a" ? "b/c" : "c");
        await File.WriteAllTextAsync(target, "outside");
        Directory.CreateDirectory(Path.GetDirectoryName(At(link))!);
        if (link == "a/b/c")
            File.CreateSymbolicLink(At("a", "b", "c"), target);
        else
            Directory.CreateSymbolicLink(At(link.Split('/')), outside);

        await File.WriteAllBytesAsync(At("file"), s_x);
        Func<Task>[] calls =
        [
            () => store.ReadAsync("a/b/c", 100, None), () => store.LengthAsync("a/b/c", None), () => store.DeleteAsync("a/b/c", None),
            () => store.ReplaceAsync("a/b/c", s_x, None), () => store.TryCreateAsync("a/b/c", s_x, None),
            () => store.PutAsync("a/b/c", At("file"), None), () => Task.Run(() => store.Open("a/b/c")),
            () => Task.Run(() => store.Create("a/b/c", 1)),
        ];
        foreach (var call in calls)
            Assert.Contains("symbolic link", (await Assert.ThrowsAsync<StoreException>(call)).Message, StringComparison.Ordinal);
        if (link != "a/b/c")
        {
            await Assert.ThrowsAsync<StoreException>(() => store.DeleteAllAsync("a/b/", None));
            await Assert.ThrowsAsync<StoreException>(async () => await store.ListAsync("a/b/", None).ToListAsync(None));
            Assert.Throws<StoreException>(() => new FolderObjects(_place.Path, temporariesBeside: true).DeleteUnfinished("a/b/"));
        }
        Assert.DoesNotContain(await NamesAsync(""), n => n.StartsWith("a/", StringComparison.Ordinal));
        Assert.Equal("outside", await File.ReadAllTextAsync(target));
        Assert.Equal("outside", await File.ReadAllTextAsync(Path.Combine(outside, link == "a" ? "b/c" : "c")));
    }

    [Fact]
    public async Task DeleteAll_ALinkWithin_TakesTheLinkAndNotItsTarget()
    {
        var store = Open();
        await store.ReplaceAsync("a/b", s_x, None);
        await store.ReplaceAsync("other/c", s_x, None);
        Directory.CreateSymbolicLink(At("a", "link"), At("other"));
        Assert.Equal(1, await store.DeleteAllAsync("a/", None));
        Assert.False(Directory.Exists(At("a")));
        Assert.Equal(["other/c"], await NamesAsync("other/"));
    }

    [Fact]
    public async Task Open_TheStoreItselfIsALink_IsUsed()
    {
        Directory.CreateDirectory(At("real"));
        Directory.CreateSymbolicLink(At("link"), At("real"));
        var store = new FolderObjects(At("link"));
        await store.ReplaceAsync("a/b", s_x, None);
        Assert.Equal(s_x, await store.ReadAsync("a/b", 100, None));
        Assert.True(File.Exists(At("real", "a", "b")));
    }

    [Fact]
    public async Task DeleteUnfinished_WhatKilledWritersLeft_GoesAndNothingElse()
    {
        var store = new FolderObjects(_place.Path, temporariesBeside: true);
        await store.ReplaceAsync("run/samples", s_x, None);
        await store.ReplaceAsync("run/below/other", s_x, None);
        var left = At("run", $".samples.{Guid.NewGuid():N}.tmp");
        string[] foreign = [At("run", "mine.tmp"), At("run", ".hidden.tmp"), At("run", $"samples.{Guid.NewGuid():N}.tmp")];
        foreach (var file in foreign.Append(left))
            await File.WriteAllBytesAsync(file, s_x);
        Assert.DoesNotContain(await NamesAsync("run/"), n => n.Contains(Path.GetFileName(left), StringComparison.Ordinal));

        // A store keeps what is unfinished elsewhere, where others write.
        Open().DeleteUnfinished("run/");
        Assert.True(File.Exists(left));
        store.DeleteUnfinished("run/");
        store.DeleteUnfinished("nothing/");

        Assert.False(File.Exists(left));
        Assert.All(foreign, f => Assert.True(File.Exists(f)));
        Assert.Equal(s_x, await store.ReadAsync("run/samples", 100, None));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Write_OfEveryKind_LeavesNoTemporary(bool beside)
    {
        var store = new FolderObjects(_place.Path, beside);
        await store.ReplaceAsync("a/1", s_x, None);
        Assert.True(await store.TryCreateAsync("a/2", s_x, None));
        Assert.False(await store.TryCreateAsync("a/2", s_x, None));
        using (var writer = store.Create("a/3", 1))
            writer.Complete([]);
        using (store.Create("a/4", 1))
        {
            // Abandoned.
        }
        await PutAsync(store, "a/5", s_x);
        Assert.Equal(
            ["1", "2", "3", "5"], Directory.GetFiles(At("a")).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
        Assert.Empty(Directory.GetFiles(At("scratch"), "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Delete_LastObject_TakesItsFolder()
    {
        var store = Open();
        await store.ReplaceAsync("a/b/1", s_x, None);
        await store.ReplaceAsync("a/b/2", s_x, None);
        await store.DeleteAsync("a/b/1", None);
        Assert.True(Directory.Exists(At("a", "b")));
        await store.DeleteAsync("a/b/2", None);
        Assert.False(Directory.Exists(At("a", "b")));
        await store.ReplaceAsync("top", s_x, None);
        await store.DeleteAsync("top", None);
        Assert.True(Directory.Exists(_place.Path));
    }

    [Fact]
    public async Task LocalPath_OfAName_IsTheFile()
    {
        var store = Open();
        await store.ReplaceAsync("a/b", s_x, None);
        Assert.Equal(s_x, await File.ReadAllBytesAsync(store.LocalPath("a/b")!));
        Assert.Equal(At("not", "there"), store.LocalPath("not/there"));
        Assert.Equal(At("a", "b"), store.Where("a/b"));
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public async Task Write_DiskIsFull_SaysSoLeavesWhatWasThereAndGoesOn()
    {
        using var disk = Disks.MountOrSkip();
        var store = new FolderObjects(Path.Combine(disk.Path, "store"));
        await store.ReplaceAsync("a/b", s_x, None);
        Directory.CreateDirectory(store.Scratch);
        await File.WriteAllBytesAsync(Path.Combine(store.Scratch, "put"), s_x);
        disk.Fill();
        var large = new byte[200_000];
        Func<Task>[] writes =
        [
            () => store.ReplaceAsync("a/b", large, None), () => store.TryCreateAsync("a/c", large, None),
            () => Task.Run(() =>
            {
                using var writer = store.Create("a/b", large.Length);
                writer.Write(large);
                writer.Complete([]);
            }),
        ];
        foreach (var write in writes)
        {
            var failure = await Assert.ThrowsAsync<StoreException>(write);
            Assert.True(failure.DiskFull, failure.Message);
            Assert.Contains("is full: free some space", failure.Message, StringComparison.Ordinal);
        }
        Assert.Equal(s_x, await store.ReadAsync("a/b", 100, None));
        Assert.Single(Directory.GetFiles(Path.Combine(disk.Path, "store", "a")));
        disk.MakeRoom();
        foreach (var write in writes)
            await write();
        Assert.Equal(large.Length, await store.LengthAsync("a/c", None));
    }
}

using Taba.Storage.Objects;
using Taba.Testing;
using Taba.Testing.Stores;

namespace Taba.Storage.Tests.Objects;

/// <summary>Names of objects come from documents and from users: no place lets one lead out of it.</summary>
public abstract class ObjectNameSuite(StorePlace place) : StoreSuite(place)
{
    const int Most = 1 << 20;

    static readonly byte[] s_x = [1];

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("/a")]
    [InlineData("a/")]
    [InlineData("a//b")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../a")]
    [InlineData("a/..")]
    [InlineData("a/../b")]
    [InlineData("a/./b")]
    [InlineData("a\\b")]
    [InlineData("..\\a")]
    [InlineData("a\nb")]
    [InlineData("a\0b")]
    [InlineData("a\u0085b")]
    [InlineData("a\u202eb")]
    public async Task EveryCall_HostileName_IsRefused(string name)
    {
        var store = Open();
        Func<Task>[] calls =
        [
            () => store.ReadAsync(name, Most, None), () => store.LengthAsync(name, None), () => store.DeleteAsync(name, None),
            () => store.ReplaceAsync(name, s_x, None), () => store.TryCreateAsync(name, s_x, None),
            () => store.PutAsync(name, "file", None), () => Task.Run(() => store.Open(name)), () => Task.Run(() => store.Create(name, 1)),
        ];
        foreach (var call in calls)
        {
            var refused = await Assert.ThrowsAsync<StoreException>(call);
            Assert.Contains("cannot name anything in", refused.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', refused.Message);
        }
        if (store.LocalPath("a") is not null)
            Assert.Throws<StoreException>(() => store.LocalPath(name));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("/")]
    [InlineData("../")]
    [InlineData("a/../")]
    [InlineData("a//")]
    [InlineData("a\\/")]
    public async Task Lists_HostilePrefix_AreRefused(string prefix)
    {
        var store = Open();
        await Assert.ThrowsAsync<StoreException>(async () => await store.ListAsync(prefix, None).ToListAsync(None));
        await Assert.ThrowsAsync<StoreException>(async () => await store.FoldersAsync(prefix, None).ToListAsync(None));
        await Assert.ThrowsAsync<StoreException>(() => store.DeleteAllAsync(prefix, None));
    }

    [Fact]
    public async Task Name_LongerThanAnyPlaceTakesOrNoText_IsRefused()
    {
        var store = Open();
        await Assert.ThrowsAsync<StoreException>(() => store.ReplaceAsync("a\ud800", s_x, None));
        var tooLong = string.Join('/', Enumerable.Repeat("abcdefg", 200));
        await Assert.ThrowsAsync<StoreException>(() => store.ReplaceAsync(tooLong, s_x, None));
        var longest = string.Join('/', Enumerable.Repeat("abcdefg", 60));
        await store.ReplaceAsync(longest, s_x, None);
        Assert.Equal([longest], await NamesAsync("abcdefg/"));
    }
}

public sealed class FolderNameTests() : ObjectNameSuite(new FolderStorePlace());

[Trait(Needs.Trait, Needs.Process)]
public sealed class BlobNameTests(BlobServer server) : ObjectNameSuite(new BlobStorePlace(server));

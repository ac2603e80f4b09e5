using System.Text;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Testing;
using Taba.Testing.Stores;

namespace Taba.Storage.Tests.Manifests;

/// <summary>A place is looked at before a store is used there.</summary>
public abstract class StoreLayoutSuite(StorePlace place) : StoreSuite(place)
{
    [Fact]
    public async Task Prepare_NewPlaceAndAgain_WritesTheLayoutAndNothingElse()
    {
        await StoreLayout.RequireAsync(Objects, None);
        Assert.Empty(await NamesAsync(""));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => StoreLayout.PrepareAsync(Open(), None)));
        var layout = await Objects.ReadAsync("layout.json", 1000, None);
        Assert.Equal("{\n  \"layout\": 2\n}", Encoding.UTF8.GetString(layout!));
        await StoreLayout.PrepareAsync(Open(), None);
        await StoreLayout.RequireAsync(Open(), None);
        Assert.Equal(["layout.json"], await NamesAsync(""));
    }

    [Theory]
    [InlineData("{\"layout\": 3}", "has layout 3, and this version of Taba knows 2")]
    [InlineData("{\"layout\": 1}", "has layout 1, and this version of Taba knows 2")]
    [InlineData("{\"layout\": \"2\"}", "layout.json cannot be read")]
    [InlineData("{}", "layout.json cannot be read")]
    [InlineData("null", "layout.json cannot be read")]
    [InlineData("", "layout.json cannot be read")]
    [InlineData("{\"layout\": 2", "layout.json cannot be read")]
    public async Task Prepare_AnotherLayout_IsRefusedAndNothingIsWritten(string text, string expected)
    {
        await Objects.ReplaceAsync("layout.json", Encoding.UTF8.GetBytes(text), None);
        foreach (var look in new Func<Task>[]
        {
            () => StoreLayout.PrepareAsync(Open(), None), () => StoreLayout.RequireAsync(Open(), None),
        })
        {
            var refused = await Assert.ThrowsAsync<BadInputException>(look);
            Assert.Contains(expected, refused.Message, StringComparison.Ordinal);
        }
        Assert.Equal(["layout.json"], await NamesAsync(""));
        Assert.Equal(text, Encoding.UTF8.GetString((await Objects.ReadAsync("layout.json", 1000, None))!));
    }

    [Fact]
    public async Task Prepare_StoreOfAnOlderTaba_IsRefused()
    {
        await Objects.ReplaceAsync("store/0123/parts/00000000/00000000.json", "{}"u8.ToArray(), None);
        foreach (var look in new Func<Task>[]
        {
            () => StoreLayout.PrepareAsync(Open(), None), () => StoreLayout.RequireAsync(Open(), None),
        })
        {
            var refused = await Assert.ThrowsAsync<BadInputException>(look);
            Assert.Contains("has the layout of an older Taba", refused.Message, StringComparison.Ordinal);
            Assert.Contains("its run folders can be used as they are", refused.Message, StringComparison.Ordinal);
        }
        Assert.Single(await NamesAsync(""));
    }

    /// <summary>Places that break a promise, and what is said of each.</summary>
    public static TheoryData<string, string> Broken => new()
    {
        { "overwrites", "creating a name that is taken does not fail" }, { "overwrites quietly", "what was written is not what is read" },
        { "lists late", "a list does not show what was just created" }, { "reads late", "a replaced object is read as it was" },
        { "deletes late", "what was deleted is still there" }, { "creates nothing", "a new name cannot be created" },
        { "truncates", "what was written is not what is read" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public async Task Prepare_PlaceThatBreaksAPromise_IsRefusedAndLeftClean(string how, string expected)
    {
        var refused = await Assert.ThrowsAsync<StoreException>(() => StoreLayout.PrepareAsync(new BrokenPlace(Objects, how), None));
        Assert.Contains($"{Objects.Place} cannot hold a store: {expected}", refused.Message, StringComparison.Ordinal);
        Assert.Contains("name a folder on another file system", refused.Message, StringComparison.Ordinal);
        Assert.Empty(await NamesAsync(""));
    }

    [Fact]
    public async Task Prepare_PlaceFails_SaysSoAndIsLeftClean()
    {
        var objects = new ObservedObjects(Objects)
        {
            Before = (call, _) => call == "replace" ? throw new StoreException("the network is unreachable") : Task.CompletedTask,
        };
        var failure = await Assert.ThrowsAsync<StoreException>(() => StoreLayout.PrepareAsync(objects, None));
        Assert.Equal("the network is unreachable", failure.Message);
        Assert.Empty(await NamesAsync(""));
    }

    sealed class BrokenPlace(IObjectStore inner, string how) : ObservedObjects(inner)
    {
        byte[]? _first;

        public override async Task<bool> TryCreateAsync(string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            if (how == "creates nothing")
                return false;
            var created = await base.TryCreateAsync(name, how == "truncates" ? default : bytes, cancellationToken);
            if (!created && how is "overwrites" or "overwrites quietly")
                await base.ReplaceAsync(name, bytes, cancellationToken);
            return created || how == "overwrites";
        }

        public override async Task<byte[]?> ReadAsync(string name, int mostBytes, CancellationToken cancellationToken)
        {
            var read = await base.ReadAsync(name, mostBytes, cancellationToken);
            if (how == "deletes late" && read is null && _first is not null)
                return _first;
            if (read is not null)
                _first = how == "reads late" ? _first ?? read : read;
            return how == "reads late" ? _first : read;
        }

        public override IAsyncEnumerable<StoredObject> ListAsync(string prefix, CancellationToken cancellationToken) =>
            how == "lists late" ? AsyncEnumerable.Empty<StoredObject>() : base.ListAsync(prefix, cancellationToken);
    }
}

public sealed class FolderLayoutTests() : StoreLayoutSuite(new FolderStorePlace());

[Trait(Needs.Trait, Needs.Process)]
public sealed class BlobLayoutTests(BlobServer server) : StoreLayoutSuite(new BlobStorePlace(server));

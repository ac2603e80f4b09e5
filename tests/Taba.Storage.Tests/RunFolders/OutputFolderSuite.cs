using System.Text;
using Taba.Storage.Objects;
using Taba.Storage.RunFolders;
using Taba.Testing;
using Taba.Testing.Stores;

namespace Taba.Storage.Tests.RunFolders;

/// <summary>Folders that results go to. Every call waits, so that each is made on a thread that may.</summary>
public abstract class OutputFolderSuite(StorePlace place) : StoreSuite(place)
{
    OutputFolder Root => new(Objects, "runs/june/");

    [Fact]
    public Task Write_FilesAndFolders_AreReadBackAndListedByName() => Task.Run(() =>
    {
        var root = Root;
        Assert.Empty(root.Folders());
        root.Write("report.html", "<p>"u8);
        root.Below("b").Write("manifest.json", "{}"u8);
        root.Below("a").Below("deep").Write("metrics.json", "[]"u8);
        root.Write("report.html", "<b>"u8);

        var again = new OutputFolder(Open(), "runs/june/");
        Assert.Equal("<b>"u8.ToArray(), again.Read("report.html"));
        Assert.Equal(3, again.Length("report.html"));
        Assert.Equal([again.Below("a").Place, again.Below("b").Place], again.Folders().Select(f => f.Place));
        Assert.Equal([1, 0], again.Folders().Select(f => f.Folders().Count));
        Assert.Equal("{}"u8.ToArray(), again.Folders()[1].Read("manifest.json"));
        Assert.Equal(Objects.Where("runs/june"), again.Place);
        Assert.Equal(Objects.Where("runs/june/a/deep"), again.Below("a").Below("deep").Place);
        Assert.Null(again.Read("metrics.json"));
        again.Delete("report.html");
        again.Delete("report.html");
        Assert.Null(again.Read("report.html"));
        Assert.Null(again.Length("report.html"));
        Assert.Null(again.Open("report.html"));
    });

    [Fact]
    public Task Create_CompletedOrGivenUp_IsWholeOrAsBefore() => Task.Run(() =>
    {
        var folder = Root.Below("x");
        folder.Write("samples", "before"u8);
        using (var writer = folder.Create("samples", 1000))
            writer.Write(new byte[100_000]);
        Assert.Equal("before"u8.ToArray(), folder.Read("samples"));
        folder.Prepare();
        using (var writer = folder.Create("samples", 1000))
        {
            writer.Write("body"u8);
            writer.Write(" and tail"u8);
            writer.Complete("HEAD"u8);
        }
        using var reader = folder.Open("samples");
        Assert.NotNull(reader);
        var bytes = new byte[reader.Length];
        reader.Read(0, bytes);
        Assert.Equal("HEAD and tail", Encoding.UTF8.GetString(bytes));
    });

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../x")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("/x")]
    [InlineData("a\n")]
    [InlineData("a\0")]
    public Task EveryCall_HostileName_NamesNoFileAndIsNeverWritten(string name) => Task.Run(() =>
    {
        var folder = Root;
        Assert.Null(folder.Read(name));
        Assert.Null(folder.Length(name));
        Assert.Null(folder.Open(name));
        Assert.Null(folder.LocalPath(name));
        Assert.Throws<StoreException>(() => folder.Write(name, "x"u8));
        Assert.Throws<StoreException>(() => folder.Create(name, 1));
        Assert.Throws<StoreException>(() => folder.Delete(name));
        var refused = Assert.Throws<StoreException>(() => folder.Below(name));
        Assert.DoesNotContain('\n', refused.Message);
        Assert.DoesNotContain('\0', refused.Message);
    });

    [Fact]
    public async Task EveryCall_WhereOnlyOneThreadServes_Ends()
    {
        // Whoever calls may be the one thread of its scheduler: what is waited for must not need it.
        var one = new ConcurrentExclusiveSchedulerPair().ExclusiveScheduler;
        await Task.Factory.StartNew(
            () =>
            {
                var folder = Root.Below("x");
                folder.Write("file", "1"u8);
                Assert.Equal("1"u8.ToArray(), folder.Read("file"));
                Assert.Equal(1, folder.Length("file"));
                Assert.Single(Root.Folders());
                folder.Prepare();
                folder.Delete("file");
            },
            None, TaskCreationOptions.None, one);
        Assert.Empty(await NamesAsync("runs/"));
    }

    [Fact]
    public Task Folders_OfTwoPlaces_DoNotMeet() => Task.Run(() =>
    {
        BlobPlace.At(Objects, "blob:x").Write("a", "1"u8);
        BlobPlace.At(Objects, "BLOB:xx/y").Write("a", "2"u8);
        Assert.Empty(BlobPlace.At(Objects, "blob:x").Folders());
        Assert.Equal("1"u8.ToArray(), BlobPlace.At(Objects, "blob:x").Read("a"));
        Assert.Equal(Objects.Where("runs/xx/y"), Assert.Single(BlobPlace.At(Objects, "blob:xx").Folders()).Place);
    });

    [Theory]
    [InlineData("blob:")]
    [InlineData("blob:/x")]
    [InlineData("blob:x/")]
    [InlineData("blob:x//y")]
    [InlineData("blob:..")]
    [InlineData("blob:x/../stages")]
    [InlineData("blob:./x")]
    [InlineData("blob:x/.hidden")]
    [InlineData("blob:x./y")]
    [InlineData("blob:x..y")]
    [InlineData("blob:x?y")]
    [InlineData("blob:x#y")]
    [InlineData("blob:%2e%2e/x")]
    [InlineData("blob:x\ny")]
    [InlineData("blob:x\n")]
    [InlineData("blob:x\\y")]
    [InlineData("blob:ü")]
    [InlineData("BLOB:https://elsewhere/x")]
    public void At_HostilePrefix_IsBadInput(string given)
    {
        Assert.True(BlobPlace.Is(given));
        var refused = Assert.Throws<BadInputException>(() => BlobPlace.At(Objects, given));
        Assert.Contains("blob:PREFIX is", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public void At_LongestPrefix_IsTakenAndALongerOneIsNot()
    {
        Assert.Equal(
            Objects.Where("runs/" + new string('a', 300)), BlobPlace.At(Objects, "blob:" + new string('a', 300)).Place);
        Assert.Throws<BadInputException>(() => BlobPlace.At(Objects, "blob:" + new string('a', 301)));
        Assert.Equal("June_2.1/a-b", BlobPlace.Prefix("Blob:June_2.1/a-b"));
        Assert.False(BlobPlace.Is("./blob:x"));
    }
}

[Trait(Needs.Trait, Needs.Process)]
public sealed class BlobOutputFolderTests(BlobServer server) : OutputFolderSuite(new BlobStorePlace(server));

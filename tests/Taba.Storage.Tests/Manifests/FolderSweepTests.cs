using Taba.Storage.Manifests;
using Taba.Storage.Objects;
using Taba.Testing.Stores;
using static Taba.Testing.Stores.StoreExamples;

namespace Taba.Storage.Tests.Manifests;

public sealed class FolderSweepTests : SweepSuite
{
    readonly FolderStorePlace _place;

    public FolderSweepTests() : this(new())
    {
    }

    FolderSweepTests(FolderStorePlace place) : base(place, stories: 150) => _place = place;

    [Theory]
    [InlineData(-3650)]
    [InlineData(3650)]
    public async Task Sweep_FilesOfAnyAge_ByReferenceAlone(int days)
    {
        var store = OpenStore();
        var (published, living) = (Attempt(), Attempt(64, 3));
        Assert.True(await PublishAsync(store, published, new(0, 32)));
        await PutAsync(store, living, [1]);
        await PutAsync(store, Attempt(96), [2]);
        var unfinished = store.ScratchPath(living, "latents");
        await File.WriteAllBytesAsync(unfinished, [3]);
        var dead = store.ScratchPath(Attempt(128), "samples");
        await File.WriteAllBytesAsync(dead, [4]);
        await Objects.ReplaceAsync($"stages/{Key}/checkpoints/{living.Name}", new byte[] { 1 }, None);
        foreach (var path in Directory.EnumerateFileSystemEntries(_place.Path, "*", SearchOption.AllDirectories))
            File.SetLastWriteTimeUtc(path, TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(days));

        Assert.Equal(1, await OpenStore().SweepAsync(_ => Task.FromResult<IReadOnlySet<Guid>>(new HashSet<Guid> { living.Id }), None));

        Assert.True(File.Exists(unfinished));
        Assert.False(Directory.Exists(Path.GetDirectoryName(dead)));
        Assert.Equal(2, (await NamesAsync($"stages/{Key}/objects/")).Count);
        Assert.Single(await NamesAsync($"stages/{Key}/checkpoints/"));
        Assert.Single(await OpenStore().ListAsync(Key, None));
    }

    [Fact]
    public async Task Sweep_CheckpointsThatAKillLeftHalfWritten_GoButNotThoseInUse()
    {
        var (living, dead) = (Attempt(), Attempt(32));
        string Left(PartAttempt attempt) => Path.Combine(_place.Path, "scratch", "new", $".{attempt.Name}.{Guid.NewGuid():N}.tmp");
        await OpenStore().DescribeStageAsync(Key, Spec(), None);
        var (stays, goes) = (Left(living), Left(dead));
        Directory.CreateDirectory(Path.GetDirectoryName(stays)!);
        await File.WriteAllBytesAsync(stays, [1]);
        await File.WriteAllBytesAsync(goes, [1]);
        await OpenStore().SweepAsync(_ => Task.FromResult<IReadOnlySet<Guid>>(new HashSet<Guid> { living.Id }), None);
        Assert.Equal([stays], Directory.GetFiles(Path.GetDirectoryName(stays)!));
    }

    [Fact]
    public async Task Sweep_StrangeFolderInScratch_StaysWhereItIs()
    {
        var store = new TensorStore(new FolderObjects(_place.Path));
        await store.DescribeStageAsync(Key, Spec(), None);
        var strange = Path.Combine(_place.Path, "scratch", $"{Key}-strange");
        Directory.CreateDirectory(strange);
        Assert.Equal(0, await store.SweepAsync(_ => Task.FromResult<IReadOnlySet<Guid>>(new HashSet<Guid>()), None));
        Assert.True(Directory.Exists(strange));
    }
}

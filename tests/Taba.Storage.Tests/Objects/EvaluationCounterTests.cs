using System.Buffers.Binary;
using Taba.Storage.Objects;
using Taba.Testing.Stores;
using Taba.Testing;

namespace Taba.Storage.Tests.Objects;

public sealed class EvaluationCounterTests : IDisposable
{
    readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Add_FromManyThreads_CountsEachOnce()
    {
        using var counter = new EvaluationCounter(_folder.Path);
        Parallel.For(0, 1000, i => counter.Add(i));
        Assert.Equal(499_500, counter.Total);
    }

    [Fact]
    public void Add_NotDisposed_IsInTheFileAsLittleEndian()
    {
        var counter = new EvaluationCounter(_folder.Path);
        counter.Add(0x1_0000_0002);
        // What kill -9 leaves: nobody flushed or disposed anything.
        Assert.Equal(0x1_0000_0002, BinaryPrimitives.ReadInt64LittleEndian(File.ReadAllBytes(_folder["evaluations"])));
        using (var again = new EvaluationCounter(_folder.Path))
            Assert.Equal(0x1_0000_0002, again.Total);
        counter.Dispose();
        counter.Dispose();
        Assert.Throws<ObjectDisposedException>(() => counter.Add(1));
    }

    [Fact]
    public void Open_HalfWrittenFile_BeginsAtWhatIsThere()
    {
        File.WriteAllBytes(_folder["evaluations"], [5, 0, 0]);
        using var counter = new EvaluationCounter(_folder.Path);
        Assert.Equal(5, counter.Total);
    }

    [Fact]
    public void Available_FolderThatDoesNotExistYet_IsThatOfItsDisk()
    {
        var there = DiskSpace.Available(_folder.Path);
        Assert.NotNull(there);
        Assert.InRange(DiskSpace.Available(_folder["not", "yet"])!.Value, 1, long.MaxValue);
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void Available_SmallDisk_IsThatDisksAndNotTheRoots()
    {
        using var disk = Disks.MountOrSkip();
        Assert.InRange(DiskSpace.Available(Path.Combine(disk.Path, "a", "b"))!.Value, 1, 1 << 20);
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void Open_DiskIsFull_SaysSo()
    {
        using var disk = Disks.MountOrSkip();
        disk.Fill();
        var failure = Assert.Throws<StoreException>(() => new EvaluationCounter(disk.Path));
        Assert.True(failure.DiskFull);
    }
}

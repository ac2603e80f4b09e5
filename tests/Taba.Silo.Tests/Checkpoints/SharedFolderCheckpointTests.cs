using Taba.Silo.Checkpoints;
using Taba.Silo.Storage;
using Taba.Silo.Tests.Storage;
using Taba.Testing;

namespace Taba.Silo.Tests.Checkpoints;

public sealed class SharedFolderCheckpointTests : SharedCheckpointSuite
{
    private protected override SegmentCheckpointStore OpenAs(string worker, CheckpointOptions? options = null) =>
        SegmentCheckpointStore.Shared(_folder.Path, worker, options);

    private protected override ITensorStore Tensors() => new FolderTensorStore(_folder.Path);

    private protected override int SegmentsOf(string worker) => FilesOf(worker).Length;

    string[] FilesOf(string worker) => Directory.Exists(FolderOf(worker)) ? Directory.GetFiles(FolderOf(worker)) : [];

    string FolderOf(string worker) => _folder["checkpoints", Uri.EscapeDataString(worker)];

    [Fact]
    public async Task Shared_WorkersNameWithSlashes_StaysInside()
    {
        await LeaveAsync(C, Record(0, 1));
        Assert.StartsWith("silo%2F..%2Fc%3A1%403", Path.GetFileName(
            Assert.Single(Directory.GetDirectories(_folder["checkpoints"]))), StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => OpenAs(".."));
        Assert.Throws<ArgumentException>(() => OpenAs(""));
    }

    [Fact]
    public async Task Adopt_TornTailAndDamagedRecord_GivesWhatIsBeforeThem()
    {
        await LeaveAsync(A, Record(0, 2, [1]), Record(0, 3, [2]));
        var file = Assert.Single(FilesOf(A));
        var bytes = await File.ReadAllBytesAsync(file);
        await File.WriteAllBytesAsync(file, bytes[..^1]);
        await LeaveAsync(B, Record(1, 2), Record(1, 3));
        var damaged = Assert.Single(FilesOf(B));
        bytes = await File.ReadAllBytesAsync(damaged);
        bytes[^20] ^= 1;
        await File.WriteAllBytesAsync(damaged, bytes);
        await using var store = OpenAs(C);

        await store.AdoptAsync(Key, new(0, 2), [A, B], None);

        AssertIs(store.Find(Key, 0), 0, 2, [1]);
        AssertIs(store.Find(Key, 1), 1, 2, []);
    }

    [Fact]
    public async Task Adopt_RecordDamagedSinceItWasScanned_TheOtherWorkersIsTaken()
    {
        await LeaveAsync(A, Record(0, 9));
        await LeaveAsync(B, Record(0, 4, [3]));
        await using var store = OpenAs(C);
        await store.AdoptAsync(Key, new(5, 6), [A, B], None);
        var file = Assert.Single(FilesOf(A));
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[^1] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);

        await store.AdoptAsync(Key, new(0, 1), [A, B], None);

        AssertIs(store.Find(Key, 0), 0, 4, [3]);
    }

    [Fact]
    public async Task ClearLeft_NobodyTouchedItForLong_GoesThoughItIsNotPublished()
    {
        var tensors = Tensors();
        await tensors.DescribeStageAsync(Key, StoreExamples.Spec(), None);
        await LeaveAsync(A, Record(0, 9));
        await LeaveAsync(B, Record(0, 9));
        File.SetLastWriteTimeUtc(Assert.Single(FilesOf(A)), DateTime.UtcNow.AddDays(-31));
        await using var store = OpenAs(C);

        Assert.Equal(1, await store.ClearLeftAsync(tensors, _ => false, None));

        Assert.Equal((0, 1), (SegmentsOf(A), SegmentsOf(B)));
        Assert.False(Directory.Exists(FolderOf(A)));
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public async Task Put_DiskIsFull_WaitsAndGoesOnWhenThereIsRoom()
    {
        using var disk = Disks.MountOrSkip();
        await using (var store = SegmentCheckpointStore.Shared(disk.Path, A, new() { RetryAfter = TimeSpan.FromMilliseconds(20) }))
        {
            var stalled = new TaskCompletionSource<Exception>(TaskCreationOptions.RunContinuationsAsynchronously);
            store.Stalled += exception => stalled.TrySetResult(exception);
            store.Failed += exception => Assert.Fail(exception.Message);
            await store.PutAsync(Record(0, 1, [0], bytes: 1000), None);
            await store.FlushAsync(None);
            disk.Fill(kilobytesLeft: 4);
            await store.PutAsync(Record(0, 2, [1], bytes: 1000), None);
            await store.PutAsync(Record(1, 2, [1], bytes: 60_000), None);
            var flushed = store.FlushAsync(None);
            Assert.True(Assert.IsType<StoreException>(await stalled.Task).DiskFull);
            Assert.False(flushed.IsCompleted);

            disk.MakeRoom();
            await flushed;
            await store.PutAsync(Record(0, 3, [2], bytes: 1000), None);
        }
        await using var other = SegmentCheckpointStore.Shared(disk.Path, B);
        await other.AdoptAsync(Key, new(0, 2), [A], None);
        AssertIs(other.Find(Key, 0), 0, 3, [0, 1, 2], bytes: 1000);
        AssertIs(other.Find(Key, 1), 1, 2, [1], bytes: 60_000);
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public async Task Dispose_DiskIsFull_EndsAndSaysSo()
    {
        using var disk = Disks.MountOrSkip();
        var store = SegmentCheckpointStore.Shared(disk.Path, A);
        var stalled = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        store.Stalled += _ => stalled.TrySetResult();
        disk.Fill();
        await store.PutAsync(Record(0, 1, bytes: 60_000), None);
        await stalled.Task;
        var flushed = store.FlushAsync(None);
        await store.DisposeAsync();
        Assert.True((await Assert.ThrowsAsync<StoreException>(() => flushed)).DiskFull);
    }
}

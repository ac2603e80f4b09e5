using Taba.Silo.Checkpoints;
using Taba.Silo.Storage;
using Taba.Silo.Tests.Storage;
using Taba.Testing;

namespace Taba.Silo.Tests.Checkpoints;

/// <summary>What one process puts, finds and forgets.</summary>
public sealed class SegmentCheckpointStoreTests : CheckpointExamples
{
    [Fact]
    public async Task Find_QueuedFlushedAndReopened_GivesTheNewestStateAndAllCaptures()
    {
        await using (var store = Open())
        {
            Assert.Null(store.Find(Key, 3));
            await store.PutAsync(Record(3, 5, [3, 4]), None);
            await store.PutAsync(Record(3, 10, [9]), None);
            AssertIs(store.Find(Key, 3), 3, 10, [3, 4, 9]);
            await store.FlushAsync(None);
            AssertIs(store.Find(Key, 3), 3, 10, [3, 4, 9]);
            Assert.Null(store.Find(Key, 4));
            Assert.Null(store.Find("ff", 3));
        }
        await using var again = Open();
        AssertIs(again.Find(Key, 3), 3, 10, [3, 4, 9]);
    }

    [Theory]
    [InlineData("k2", 10)]
    [InlineData("k1", 5)]
    [InlineData("k1", 3)]
    public async Task Put_OtherSelectionOrNotBeyond_ReplacesTheChain(string keep, int nextStep)
    {
        await using (var store = Open())
        {
            await store.PutAsync(Record(0, 5, [0, 1]), None);
            await store.FlushAsync(None);
            await store.PutAsync(Record(0, nextStep, [2], keep), None);
            AssertIs(store.Find(Key, 0), 0, nextStep, [2], keep);
        }
        await using var again = Open();
        AssertIs(again.Find(Key, 0), 0, nextStep, [2], keep);
    }

    [Fact]
    public async Task Forget_PublishedRows_DeletesFilesNobodyNeeds()
    {
        await using var store = Open(segmentBytes: 1);
        for (var sample = 0; sample < 4; sample++)
        {
            await store.PutAsync(Record(sample, 5, [0]), None);
            await store.FlushAsync(None);
        }
        Assert.Equal(4, Segments.Length);

        store.Forget(Key, new(0, 2));
        store.Forget("ff", new(0, 9));
        await store.FlushAsync(None);

        Assert.Equal(2, Segments.Length);
        Assert.Null(store.Find(Key, 1));
        AssertIs(store.Find(Key, 2), 2, 5, [0]);
        store.Forget(Key, new(2, 4));
        await store.PutAsync(Record(9, 1), None);
        await store.FlushAsync(None);
        Assert.Single(Segments);
    }

    [Fact]
    public async Task Forget_AllRows_LeavesNoFileBehind()
    {
        await using (var store = Open())
        {
            await store.PutAsync(Record(0, 5, [0]), None);
            store.Forget(Key, new(0, 1));
            Assert.Null(store.Find(Key, 0));
        }
        Assert.Empty(Segments);
    }

    [Fact]
    public async Task Put_ManyStepsWithoutCaptures_KeepsOnlyTheNewestFiles()
    {
        await using var store = Open(segmentBytes: 200);
        for (var step = 1; step <= 100; step++)
        {
            await store.PutAsync(Record(0, step), None);
            await store.PutAsync(Record(1, step), None);
            await store.FlushAsync(None);
        }
        Assert.InRange(Segments.Length, 1, 2);
        AssertIs(store.Find(Key, 0), 0, 100, []);
        AssertIs(store.Find(Key, 1), 1, 100, []);
    }

    [Fact]
    public async Task Put_QueueIsFull_WaitsForTheDiskAndLosesNothing()
    {
        const int Bytes = 1000;
        await using (var store = Open(queueBytes: 2500))
        {
            await Task.WhenAll(Enumerable.Range(0, 8).Select(sample => Task.Run(async () =>
            {
                for (var step = 1; step <= 50; step++)
                    await store.PutAsync(Record(sample, step, [step - 1], bytes: Bytes), None);
            })));
        }
        await using var again = Open();
        for (var sample = 0; sample < 8; sample++)
            AssertIs(again.Find(Key, sample), sample, 50, [.. Enumerable.Range(0, 50)], bytes: Bytes);
    }

    [Fact]
    public async Task Find_WhileOthersWriteAndForget_AlwaysGivesAWholeChain()
    {
        await using var store = Open(segmentBytes: 2000);
        var done = false;
        var reader = Task.Run(() =>
        {
            while (!Volatile.Read(ref done))
            {
                if (store.Find(Key, 0) is { } checkpoint)
                    AssertIs(checkpoint, 0, checkpoint.NextStep, [.. Enumerable.Range(0, checkpoint.NextStep)]);
            }
        });
        for (var round = 0; round < 20; round++)
        {
            for (var step = 1; step <= 20; step++)
                await store.PutAsync(Record(0, step, [step - 1]), None);
            store.Forget(Key, new(0, 1));
        }
        Volatile.Write(ref done, true);
        await reader;
    }

    [Fact]
    public async Task Put_AfterDispose_Throws()
    {
        var store = Open();
        await store.DisposeAsync();
        await store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await store.PutAsync(Record(0, 1), None));
        store.Forget(Key, new(0, 1));
        Assert.Null(store.Find(Key, 0));
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public async Task Put_DiskIsFull_FailsFromThenOnAndSaysSoOnce()
    {
        using var disk = Disks.MountOrSkip();
        var failures = new List<Exception>();
        await using (var store = new SegmentCheckpointStore(disk.Path))
        {
            store.Failed += failures.Add;
            await store.PutAsync(Record(0, 1, [0]), None);
            await store.FlushAsync(None);
            disk.Fill();

            await store.PutAsync(Record(1, 1, bytes: 10_000), None);
            var flush = await Assert.ThrowsAsync<StoreException>(() => store.FlushAsync(None));
            var put = await Assert.ThrowsAsync<StoreException>(async () => await store.PutAsync(Record(2, 1), None));

            Assert.True(flush.DiskFull && put.DiskFull);
            Assert.Contains("free some space", put.Message, StringComparison.Ordinal);
            Assert.Single(failures);
            AssertIs(store.Find(Key, 0), 0, 1, [0]);
        }
        disk.MakeRoom();
        await using var again = new SegmentCheckpointStore(disk.Path);
        AssertIs(again.Find(Key, 0), 0, 1, [0]);
        Assert.Null(again.Find(Key, 1));
    }
}

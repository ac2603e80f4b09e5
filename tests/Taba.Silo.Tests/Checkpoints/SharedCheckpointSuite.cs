using Taba.Silo.Checkpoints;
using Taba.Silo.Storage;
using Taba.Silo.Tests.Storage;

namespace Taba.Silo.Tests.Checkpoints;

/// <summary>What checkpoints that several silos share promise, wherever they lie.</summary>
public abstract class SharedCheckpointSuite : CheckpointExamples
{
    private protected const string A = "127.0.0.1:11111@1";
    private protected const string B = "[::1]:11112@2";
    private protected const string C = "silo/../c:1@3";

    /// <summary>The store of a worker over the same place, as another process would open it.</summary>
    private protected abstract SegmentCheckpointStore OpenAs(string worker, CheckpointOptions? options = null);

    /// <summary>A tensor store over the same place.</summary>
    private protected abstract ITensorStore Tensors();

    /// <summary>The segments of a worker.</summary>
    private protected abstract int SegmentsOf(string worker);

    private protected async Task LeaveAsync(string worker, params CheckpointRecord[] records)
    {
        await using var store = OpenAs(worker);
        foreach (var record in records)
        {
            await store.PutAsync(record, None);
            await store.FlushAsync(None);
        }
    }

    [Fact]
    public async Task Adopt_WhatADeadWorkerLeft_IsFoundWithAllItsCaptures()
    {
        await LeaveAsync(A, Record(0, 2, [0, 1]), Record(0, 4, [2, 3]), Record(1, 2), Record(40, 9));
        await using var store = OpenAs(B);
        Assert.Null(store.Find(Key, 0));

        await store.AdoptAsync(Key, new(0, 32), [A], None);

        AssertIs(store.Find(Key, 0), 0, 4, [0, 1, 2, 3]);
        AssertIs(store.Find(Key, 1), 1, 2, []);
        Assert.Null(store.Find(Key, 2));
        Assert.Null(store.Find(Key, 40));
    }

    [Fact]
    public async Task Adopt_FromOneWhoAdopted_NeedsOnlyTheLast()
    {
        await LeaveAsync(A, Record(0, 2, [0, 1]), Record(0, 4, [3]));
        await using (var second = OpenAs(B))
        {
            await second.AdoptAsync(Key, new(0, 1), [A], None);
            await second.PutAsync(Record(0, 6, [5]), None);
        }
        await using var third = OpenAs(C);
        await third.AdoptAsync(Key, new(0, 1), [B], None);
        AssertIs(third.Find(Key, 0), 0, 6, [0, 1, 3, 5]);
    }

    [Fact]
    public async Task Adopt_SeveralLeftSome_TheFurthestWinsSampleBySample()
    {
        await LeaveAsync(A, Record(0, 8, [7]), Record(1, 3));
        await LeaveAsync(B, Record(0, 5, [4], "k2"), Record(1, 6), Record(2, 9));
        await using var store = OpenAs(C);
        await store.PutAsync(Record(2, 10), None);

        await store.AdoptAsync(Key, new(0, 3), [A, B, C, "nobody"], None);

        AssertIs(store.Find(Key, 0), 0, 8, [7]);
        AssertIs(store.Find(Key, 1), 1, 6, []);
        AssertIs(store.Find(Key, 2), 2, 10, []);
    }

    [Fact]
    public async Task Adopt_OwnIsOlder_IsReplacedAsAWholeAndGoesOn()
    {
        await LeaveAsync(A, Record(0, 2, [0, 1]), Record(0, 6, [4, 5]));
        await using (var store = OpenAs(B))
        {
            await store.PutAsync(Record(0, 1, [0]), None);
            await store.AdoptAsync(Key, new(0, 1), [A], None);
            AssertIs(store.Find(Key, 0), 0, 6, [0, 1, 4, 5]);
            await store.PutAsync(Record(0, 7, [6]), None);
        }
        await using var again = OpenAs(C);
        await again.AdoptAsync(Key, new(0, 1), [B], None);
        AssertIs(again.Find(Key, 0), 0, 7, [0, 1, 4, 5, 6]);
    }

    [Fact]
    public async Task Adopt_WhileTheOtherStillWrites_SeesWhatItHasWrittenSince()
    {
        await using var zombie = OpenAs(A);
        await zombie.PutAsync(Record(0, 2, [1]), None);
        await zombie.FlushAsync(None);
        await using var store = OpenAs(B);
        await store.AdoptAsync(Key, new(0, 1), [A], None);
        AssertIs(store.Find(Key, 0), 0, 2, [1]);

        await zombie.PutAsync(Record(0, 3, [2]), None);
        await zombie.PutAsync(Record(1, 5), None);
        await zombie.FlushAsync(None);
        await store.AdoptAsync(Key, new(0, 2), [A], None);

        AssertIs(store.Find(Key, 0), 0, 3, [1, 2]);
        AssertIs(store.Find(Key, 1), 1, 5, []);
        Assert.Equal(1, SegmentsOf(A));
    }

    [Fact]
    public async Task Adopt_Twice_PutsNothingASecondTime()
    {
        await LeaveAsync(A, Record(0, 2, [1]));
        await using var store = OpenAs(B, new() { SegmentBytes = 1 });
        await store.AdoptAsync(Key, new(0, 1), [A], None);
        await store.FlushAsync(None);
        await store.AdoptAsync(Key, new(0, 1), [A], None);
        await store.FlushAsync(None);
        Assert.Equal(1, SegmentsOf(B));
    }

    [Fact]
    public async Task ClearLeft_OfTheDead_OnlyWhatIsPublishedOrGone()
    {
        var tensors = Tensors();
        await PublishAsync(tensors, "aa", KeepNothing, 0);
        await LeaveAsync(A, Record(0, 2, keep: KeepNothing, key: "aa"));
        await LeaveAsync(B, Record(0, 2, keep: KeepNothing, key: "aa"), Record(40, 2, keep: KeepNothing, key: "aa"));
        await LeaveAsync(C, Record(0, 2, keep: "other", key: "aa"));
        await LeaveAsync("alive", Record(0, 2, keep: KeepNothing, key: "aa"));
        await LeaveAsync("removed", Record(0, 2, key: "bb"));
        await using var store = OpenAs("me");
        await store.PutAsync(Record(0, 3, keep: KeepNothing, key: "aa"), None);
        await store.FlushAsync(None);

        Assert.Equal(2, await store.ClearLeftAsync(tensors, worker => worker == "alive", None));
        Assert.Equal([0, 1, 1, 1, 0, 1], new[] { A, B, C, "alive", "removed", "me" }.Select(SegmentsOf));
        Assert.Equal(0, await store.ClearLeftAsync(tensors, worker => worker == "alive", None));

        await PublishAsync(tensors, "aa", KeepNothing, 32);
        Assert.Equal(1, await store.ClearLeftAsync(tensors, worker => worker == "alive", None));
        Assert.Equal(0, SegmentsOf(B));
        await store.AdoptAsync("aa", new(0, 1), [A, C], None);
        AssertIs(store.Find("aa", 0), 0, 3, [], KeepNothing);
    }

    [Fact]
    public async Task ForgetPublished_OwnRowsThatAnotherPublished_Go()
    {
        var tensors = Tensors();
        await using var store = OpenAs(A, new() { SegmentBytes = 1 });
        await PublishAsync(tensors, "aa", KeepNothing, 0);
        await store.PutAsync(Record(0, 2, keep: KeepNothing, key: "aa"), None);
        await store.PutAsync(Record(32, 2, keep: KeepNothing, key: "aa"), None);
        await store.FlushAsync(None);

        await store.ForgetPublishedAsync(tensors, None);
        await store.FlushAsync(None);

        Assert.Null(store.Find("aa", 0));
        AssertIs(store.Find("aa", 32), 32, 2, [], KeepNothing);
    }

    [Fact]
    public async Task ClearLeft_TakenForDeadButAlive_GoesOnInANewSegment()
    {
        var tensors = Tensors();
        await using var zombie = OpenAs(A, new() { RetryAfter = TimeSpan.FromMilliseconds(10) });
        await zombie.PutAsync(Record(0, 2, key: "bb"), None);
        await zombie.FlushAsync(None);
        await using (var store = OpenAs(B))
            Assert.Equal(1, await store.ClearLeftAsync(tensors, _ => false, None));

        await zombie.PutAsync(Record(1, 4, key: Key), None);
        await zombie.FlushAsync(None);

        Assert.Equal(1, SegmentsOf(A));
        await using var third = OpenAs(C);
        await third.AdoptAsync(Key, new(0, 2), [A], None);
        AssertIs(third.Find(Key, 1), 1, 4, []);
    }

    static string KeepNothing { get; } = KeepDigest.Of(new([], [], []));

    static async Task PublishAsync(ITensorStore tensors, string key, string keep, int start)
    {
        Assert.Equal(KeepNothing, keep);
        Assert.True(await StoreExamples.PublishAsync(tensors, StoreExamples.Attempt(start, key: key), new(start, start + 32)));
    }
}

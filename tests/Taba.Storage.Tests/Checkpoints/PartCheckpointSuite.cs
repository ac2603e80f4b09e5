using Microsoft.Extensions.Time.Testing;
using Taba.Storage.Checkpoints;
using Taba.Storage.Objects;
using Taba.Testing;
using Taba.Testing.Stores;
using static Taba.Storage.Tests.Checkpoints.CheckpointExamples;
using static Taba.Testing.Stores.StoreExamples;

namespace Taba.Storage.Tests.Checkpoints;

/// <summary>Checkpoints of the parts in flight: a file for each attempt, written behind.</summary>
public abstract class PartCheckpointSuite(StorePlace place) : StoreSuite(place)
{
    static string File(PartAttempt attempt) => $"stages/{Key}/checkpoints/{attempt.Name}";

    static PartCheckpoints Over(IObjectStore objects, bool goesOn = false, TimeProvider? time = null) => new(objects, goesOn, null, time);

    async Task<IReadOnlyDictionary<int, SampleCheckpoint>> ReadAsync(RowRange rows, params PartAttempt[] attempts)
    {
        await using var reader = Over(Open());
        return await reader.ReadAsync(attempts, rows, RowBytes, None);
    }

    [Fact]
    public async Task Put_Flushed_IsReadBackByAnother()
    {
        var attempt = Attempt();
        await using var checkpoints = Over(Open());
        checkpoints.Open(attempt, []);
        checkpoints.Put(attempt, Row(0, 3));
        checkpoints.Put(attempt, Row(1, 2));
        checkpoints.Put(attempt, Row(0, 4));
        await checkpoints.FlushAsync(attempt, None);
        AssertSame([Row(0, 4), Row(1, 2)], (await ReadAsync(new(0, 32), attempt)).Values);
        Assert.Equal([File(attempt)], await NamesAsync("stages/"));
        Assert.Equal(TimeSpan.Zero, checkpoints.OldestWaiting);
    }

    [Fact]
    public async Task Read_SeveralAttempts_IsTheFurthestOfEachRowThatWasAskedFor()
    {
        PartAttempt[] attempts = [Attempt(epoch: 1), Attempt(epoch: 2), Attempt(epoch: 3)];
        await using (var checkpoints = Over(Open()))
        {
            SampleCheckpoint[][] rows = [[Row(0, 5), Row(1, 1), Row(7, 9)], [Row(0, 4), Row(1, 8)], [Row(1, 8), Row(2, 0)]];
            for (var i = 0; i < attempts.Length; i++)
            {
                checkpoints.Open(attempts[i], []);
                foreach (var row in rows[i])
                    checkpoints.Put(attempts[i], row);
            }
            await checkpoints.FlushAsync(None);
        }
        AssertSame([Row(0, 5), Row(1, 8), Row(2, 0)], (await ReadAsync(new(0, 7), attempts)).Values);
        AssertSame([Row(1, 8)], (await ReadAsync(new(1, 2), [.. attempts.Reverse()])).Values);
        Assert.Empty(await ReadAsync(new(3, 7), attempts));
        Assert.Empty(await ReadAsync(new(0, 32), Attempt(epoch: 4)));
        Assert.Empty(await ReadAsync(new(0, 32)));
    }

    [Fact]
    public async Task Open_RowsOfEarlierAttempts_AreInTheFileToo()
    {
        var attempt = Attempt();
        await using var checkpoints = Over(Open());
        checkpoints.Open(attempt, [Row(0, 5), Row(1, 6)]);
        await checkpoints.FlushAsync(attempt, None);
        Assert.Empty(await NamesAsync("stages/"));
        checkpoints.Put(attempt, Row(1, 7));
        await checkpoints.FlushAsync(attempt, None);
        AssertSame([Row(0, 5), Row(1, 7)], (await ReadAsync(new(0, 32), attempt)).Values);
    }

    [Theory]
    [InlineData("torn")]
    [InlineData("flipped")]
    [InlineData("empty")]
    [InlineData("large")]
    public async Task Read_DamagedFile_IsPassedOverAndTheOthersCount(string how)
    {
        var (damaged, good) = (Attempt(epoch: 2), Attempt(epoch: 1));
        await using (var checkpoints = Over(Open()))
        {
            foreach (var (attempt, step) in new[] { (damaged, 9), (good, 4) })
            {
                checkpoints.Open(attempt, []);
                checkpoints.Put(attempt, Row(0, step));
            }
            await checkpoints.FlushAsync(None);
        }
        await ChangeAsync(File(damaged), bytes => how switch
        {
            "torn" => bytes[..^1],
            "flipped" => [.. bytes[..40], (byte)(bytes[40] ^ 8), .. bytes[41..]],
            "empty" => [],
            _ => new byte[CheckpointFile.Size(32, RowBytes) + 1],
        });
        AssertSame([Row(0, 4)], (await ReadAsync(new(0, 32), damaged, good)).Values);
    }

    [Fact]
    public async Task Put_WhileThePlaceIsSlow_IsGatheredIntoFewWritesAndOnlyTheNewestIsHeld()
    {
        var (objects, letOn) = Slow();
        var attempt = Attempt();
        await using var checkpoints = Over(objects);
        checkpoints.Open(attempt, []);
        checkpoints.Put(attempt, Row(0, 0));
        await objects.Reached;
        for (var step = 1; step <= 1000; step++)
        {
            for (var sample = 0; sample < 8; sample++)
                checkpoints.Put(attempt, Row(sample, step));
        }
        var flushed = checkpoints.FlushAsync(attempt, None);
        Assert.False(flushed.IsCompleted);
        letOn.SetResult();
        await flushed;

        Assert.Equal(2, objects.Calls.Count);
        AssertSame(Enumerable.Range(0, 8).Select(sample => Row(sample, 1000)), (await ReadAsync(new(0, 32), attempt)).Values);
    }

    [Fact]
    public async Task Flush_WhatIsPutMeanwhile_IsNotWaitedFor()
    {
        var (objects, letOn) = Slow();
        var attempt = Attempt();
        await using var checkpoints = Over(objects);
        checkpoints.Open(attempt, []);
        checkpoints.Put(attempt, Row(0, 1));
        await objects.Reached;
        var flushed = checkpoints.FlushAsync(attempt, None);
        var cancelled = checkpoints.FlushAsync(attempt, new CancellationToken(canceled: true));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);
        Assert.False(flushed.IsCompleted);
        letOn.SetResult();
        await flushed;
        AssertSame([Row(0, 1)], (await ReadAsync(new(0, 32), attempt)).Values);
    }

    [Fact]
    public async Task Put_FromManyThreadsToManyParts_EveryFlushedStateIsThere()
    {
        var attempts = Enumerable.Range(0, 12).Select(i => Attempt(i * 32)).ToList();
        await using var checkpoints = Over(Open());
        await Task.WhenAll(attempts.Select(attempt => Task.Run(async () =>
        {
            checkpoints.Open(attempt, []);
            for (var step = 1; step <= 20; step++)
            {
                for (var sample = attempt.RowStart; sample < attempt.RowStart + 4; sample++)
                    checkpoints.Put(attempt, Row(sample, step));
                if (step % 5 != 0)
                    continue;
                await checkpoints.FlushAsync(attempt, None);
                AssertSame(
                    Enumerable.Range(attempt.RowStart, 4).Select(sample => Row(sample, step)),
                    CheckpointFile.Decode((await Objects.ReadAsync(File(attempt), 1 << 20, None))!, RowBytes));
            }
        })));
        Assert.Equal(attempts.Count, (await NamesAsync("stages/")).Count);
    }

    [Fact]
    public async Task Leave_WhatWasPut_IsWrittenAndLaterPutsAreNot()
    {
        var (objects, letOn) = Slow();
        var attempt = Attempt();
        await using var checkpoints = Over(objects);
        checkpoints.Open(attempt, []);
        checkpoints.Put(attempt, Row(0, 1));
        await objects.Reached;
        checkpoints.Put(attempt, Row(0, 2));
        checkpoints.Leave(attempt);
        checkpoints.Put(attempt, Row(0, 3));
        var flushed = checkpoints.FlushAsync(None);
        letOn.SetResult();
        await flushed;
        checkpoints.Put(attempt, Row(0, 4));
        await checkpoints.FlushAsync(attempt, None);
        AssertSame([Row(0, 2)], (await ReadAsync(new(0, 32), attempt)).Values);
        Assert.Equal(2, objects.Calls.Count);
        // Forgotten later, by whoever published the part.
        checkpoints.Forget(attempt);
        await checkpoints.FlushAsync(None);
        await checkpoints.DisposeAsync();
        Assert.Empty(await NamesAsync("stages/"));
    }

    [Fact]
    public async Task Forget_WhileItIsWritten_TheFileGoesInTheEnd()
    {
        var (objects, letOn) = Slow();
        var attempt = Attempt();
        await using (var checkpoints = Over(objects))
        {
            checkpoints.Open(attempt, []);
            checkpoints.Put(attempt, Row(0, 1));
            await objects.Reached;
            var flushed = checkpoints.FlushAsync(attempt, None);
            checkpoints.Put(attempt, Row(0, 2));
            checkpoints.Forget(attempt);
            checkpoints.Forget(attempt);
            checkpoints.Put(attempt, Row(0, 3));
            letOn.SetResult();
            await flushed;
        }
        Assert.Equal([("replace", File(attempt)), ("delete", File(attempt))], objects.Calls);
        Assert.Empty(await NamesAsync("stages/"));
    }

    [Fact]
    public async Task Forget_AttemptOfAnotherProcess_ItsFileGoes()
    {
        var attempt = Attempt();
        await using (var dead = Over(Open()))
        {
            dead.Open(attempt, []);
            dead.Put(attempt, Row(0, 1));
        }
        Assert.Single(await NamesAsync("stages/"));
        await using (var checkpoints = Over(Open()))
        {
            checkpoints.Forget(attempt);
            checkpoints.Forget(Attempt());
        }
        Assert.Empty(await NamesAsync("stages/"));
    }

    [Fact]
    public async Task Forget_NothingWasWritten_AsksThePlaceNothing()
    {
        var objects = new ObservedObjects(Objects);
        var attempt = Attempt();
        await using (var checkpoints = Over(objects))
        {
            checkpoints.Open(attempt, [Row(0, 1)]);
            checkpoints.Forget(attempt);
        }
        Assert.Empty(objects.Calls);
    }

    [Fact]
    public async Task Dispose_WhatWaits_IsWritten()
    {
        var (objects, letOn) = Slow();
        var attempts = Enumerable.Range(0, 20).Select(i => Attempt(i * 32)).ToList();
        var checkpoints = Over(objects);
        foreach (var attempt in attempts)
        {
            checkpoints.Open(attempt, []);
            checkpoints.Put(attempt, Row(attempt.RowStart, 1));
        }
        await objects.Reached;
        foreach (var attempt in attempts)
            checkpoints.Put(attempt, Row(attempt.RowStart, 2));
        var disposed = checkpoints.DisposeAsync();
        Assert.False(disposed.IsCompleted);
        letOn.SetResult();
        await disposed;
        foreach (var attempt in attempts)
            AssertSame(
                [Row(attempt.RowStart, 2)], (await ReadAsync(new(attempt.RowStart, attempt.RowStart + 32), attempt)).Values);
    }

    [Fact]
    public async Task OldestWaiting_PlaceHangs_GrowsUntilItAnswers()
    {
        var time = new FakeTimeProvider();
        var (objects, letOn) = Slow();
        var (first, second) = (Attempt(), Attempt(32));
        await using var checkpoints = Over(objects, time: time);
        checkpoints.Open(first, []);
        checkpoints.Open(second, []);
        Assert.Equal(TimeSpan.Zero, checkpoints.OldestWaiting);
        checkpoints.Put(first, Row(0, 1));
        await objects.Reached;
        time.Advance(TimeSpan.FromSeconds(10));
        checkpoints.Put(second, Row(32, 1));
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(TimeSpan.FromSeconds(15), checkpoints.OldestWaiting);
        letOn.SetResult();
        await checkpoints.FlushAsync(None);
        Assert.Equal(TimeSpan.Zero, checkpoints.OldestWaiting);
    }

    /// <summary>A place whose writes wait until they are let on.</summary>
    protected (SlowObjects Objects, TaskCompletionSource LetOn) Slow()
    {
        var letOn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return (new(Objects, letOn.Task), letOn);
    }

    protected sealed class SlowObjects : ObservedObjects
    {
        readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public SlowObjects(IObjectStore inner, Task letOn) : base(inner) => Before = (call, _) =>
        {
            if (call != "replace")
                return Task.CompletedTask;
            _reached.TrySetResult();
            return letOn;
        };

        /// <summary>Done when the first write has come.</summary>
        public Task Reached => _reached.Task;
    }
}

public sealed class FolderCheckpointTests() : PartCheckpointSuite(new FolderStorePlace());

[Trait(Needs.Trait, Needs.Process)]
public sealed class BlobCheckpointTests(BlobServer server) : PartCheckpointSuite(new BlobStorePlace(server));

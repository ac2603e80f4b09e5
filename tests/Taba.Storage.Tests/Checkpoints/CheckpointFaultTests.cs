using Microsoft.Extensions.Time.Testing;
using Taba.Storage.Checkpoints;
using Taba.Storage.Objects;
using Taba.Testing.Stores;
using static Taba.Storage.Tests.Checkpoints.CheckpointExamples;
using static Taba.Testing.Stores.StoreExamples;

namespace Taba.Storage.Tests.Checkpoints;

/// <summary>The place of the checkpoints fails.</summary>
public sealed class CheckpointFaultTests() : StoreSuite(new FolderStorePlace())
{
    static string File(PartAttempt attempt) => $"stages/{Key}/checkpoints/{attempt.Name}";

    [Fact]
    public async Task Put_PlaceFailsAndTheWriterGoesOn_TriesAgainUntilItWorks()
    {
        var time = new FakeTimeProvider();
        var objects = new FailingObjects(Objects) { Fails = true };
        var (attempt, faults) = (Attempt(), new List<Exception>());
        await using var checkpoints = new PartCheckpoints(
            objects, goesOnAfterFaults: true, new() { RetryAfter = TimeSpan.FromMinutes(1) }, time);
        var (told, three) = (new Lock(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        checkpoints.Failed += exception =>
        {
            lock (told)
                faults.Add(exception);
            if (faults.Count == 3)
                three.SetResult();
        };
        checkpoints.Open(attempt, []);
        checkpoints.Put(attempt, Row(0, 1));
        var flushed = checkpoints.FlushAsync(attempt, None);
        await PassAsync(time, three.Task);
        checkpoints.Put(attempt, Row(0, 2));
        Assert.False(flushed.IsCompleted);
        Assert.InRange(checkpoints.OldestWaiting, TimeSpan.FromMinutes(2), TimeSpan.MaxValue);

        objects.Fails = false;
        await PassAsync(time, flushed);
        await checkpoints.FlushAsync(attempt, None);

        Assert.All(faults, f => Assert.Equal("the network is unreachable", Assert.IsType<StoreException>(f).Message));
        AssertSame([Row(0, 2)], CheckpointFile.Decode((await Objects.ReadAsync(File(attempt), 1 << 20, None))!, RowBytes));
        Assert.Equal(TimeSpan.Zero, checkpoints.OldestWaiting);
    }

    [Fact]
    public async Task Put_PlaceFailsAndThatIsTheEnd_IsToldOnceAndEveryCallThrows()
    {
        var objects = new FailingObjects(Objects) { Fails = true, Full = true };
        var (first, second) = (Attempt(), Attempt(32));
        var faults = new List<Exception>();
        await using var checkpoints = new PartCheckpoints(objects, goesOnAfterFaults: false);
        checkpoints.Failed += faults.Add;
        checkpoints.Open(first, []);
        checkpoints.Open(second, []);
        checkpoints.Put(first, Row(0, 1));
        var failure = await Assert.ThrowsAsync<StoreException>(() => checkpoints.FlushAsync(first, None));
        Assert.True(failure.DiskFull);
        Assert.Single(faults);

        objects.Fails = false;
        Func<Task>[] calls =
        [
            () => checkpoints.FlushAsync(first, None), () => checkpoints.FlushAsync(second, None), () => checkpoints.FlushAsync(None),
        ];
        foreach (var call in calls)
            Assert.True((await Assert.ThrowsAsync<StoreException>(call)).DiskFull);
        Assert.True(Assert.Throws<StoreException>(() => checkpoints.Put(second, Row(32, 1))).DiskFull);
        checkpoints.Leave(first);
        checkpoints.Forget(second);
        await checkpoints.DisposeAsync();
        Assert.Empty(await NamesAsync("stages/"));
        Assert.Single(faults);
    }

    [Fact]
    public async Task Flush_WhileThePlaceFailsForGood_NobodyWaitsForEver()
    {
        // Puts and flushes come from everywhere at the moment of the failure: each of them ends, in one way or the other.
        for (var round = 0; round < 100; round++)
        {
            var objects = new FailingObjects(Objects) { Fails = true };
            await using var checkpoints = new PartCheckpoints(objects, goesOnAfterFaults: false);
            var attempts = Enumerable.Range(0, 4).Select(i => Attempt(i * 32)).ToList();
            foreach (var attempt in attempts)
                checkpoints.Open(attempt, []);
            var ended = await Task.WhenAll(attempts.Select(attempt => Task.Run(async () =>
            {
                try
                {
                    for (var step = 1; ; step++)
                    {
                        checkpoints.Put(attempt, Row(attempt.RowStart, step));
                        await checkpoints.FlushAsync(attempt, None);
                    }
                }
                catch (StoreException exception)
                {
                    return exception.Message;
                }
            })));
            Assert.All(ended, message => Assert.Equal("the network is unreachable", message));
        }
    }

    [Fact]
    public async Task Dispose_WhileThePlaceFails_EndsAndWhoWaitsIsTold()
    {
        var objects = new FailingObjects(Objects) { Fails = true };
        var attempt = Attempt();
        var checkpoints = new PartCheckpoints(objects, goesOnAfterFaults: true, time: new FakeTimeProvider());
        var failed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        checkpoints.Failed += _ => failed.TrySetResult();
        checkpoints.Open(attempt, []);
        checkpoints.Put(attempt, Row(0, 1));
        var flushed = checkpoints.FlushAsync(attempt, None);
        await failed.Task;
        // The clock stands still: it does not wait for the next try.
        await checkpoints.DisposeAsync();
        Assert.Equal("the network is unreachable", (await Assert.ThrowsAsync<StoreException>(() => flushed)).Message);
    }

    [Fact]
    public async Task Forget_DeletionFails_NobodyIsTroubledByIt()
    {
        var objects = new FailingObjects(Objects);
        var attempt = Attempt();
        await using (var checkpoints = new PartCheckpoints(objects, goesOnAfterFaults: false))
        {
            checkpoints.Failed += exception => Assert.Fail(exception.Message);
            checkpoints.Open(attempt, []);
            checkpoints.Put(attempt, Row(0, 1));
            await checkpoints.FlushAsync(attempt, None);
            objects.Fails = true;
            checkpoints.Forget(attempt);
            await checkpoints.FlushAsync(None);
        }
        // The sweep takes it.
        Assert.Equal([File(attempt)], await NamesAsync("stages/"));
    }

    [Theory]
    [InlineData(-4)]
    [InlineData(4)]
    public async Task Put_StatesOfDifferentSizes_AreAFaultAndNotAFileOfThem(int more)
    {
        var attempt = Attempt();
        var faults = new List<Exception>();
        await using var checkpoints = new PartCheckpoints(Objects, goesOnAfterFaults: false);
        checkpoints.Failed += faults.Add;
        checkpoints.Open(attempt, [Row(0, 1)]);
        checkpoints.Put(attempt, Row(1, 1, RowBytes + more));
        await Assert.ThrowsAsync<StoreException>(() => checkpoints.FlushAsync(attempt, None));
        Assert.Single(faults);
        Assert.Empty(await NamesAsync("stages/"));
    }

    /// <summary>Lets time pass until something is done.</summary>
    static async Task PassAsync(FakeTimeProvider time, Task done)
    {
        while (!done.IsCompleted)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.Yield();
        }
        await done;
    }

    /// <summary>A place whose writes and deletions fail while it is told so.</summary>
    sealed class FailingObjects : ObservedObjects
    {
        volatile bool _fails;

        public FailingObjects(IObjectStore inner) : base(inner) => Before = (call, _) => _fails && (call is "replace" or "delete")
            ? throw new StoreException("the network is unreachable") { DiskFull = Full }
            : Task.CompletedTask;

        public bool Fails
        {
            set => _fails = value;
        }

        public bool Full { get; init; }
    }
}

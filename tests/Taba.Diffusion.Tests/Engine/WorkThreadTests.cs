using Taba.Diffusion.Engine;

namespace Taba.Diffusion.Tests.Engine;

public sealed class WorkThreadTests : IDisposable
{
    readonly TaskCompletionSource _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly ManualResetEventSlim _goOn = new();
    readonly List<int[]> _done = [];

    public void Dispose() => _goOn.Dispose();

    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Post_WhileThePieceBeforeIsWorkedOn_WaitsAndIsDoneInOrder()
    {
        var thread = new WorkThread<int>("test", Work);
        thread.Post(1);
        await _begun.Task.WaitAsync(Cancellation);
        thread.Post(2);
        thread.Post(3);
        Assert.Equal(2, thread.Count);

        _goOn.Set();
        await thread.DisposeAsync();

        Assert.Equal([[1], [2], [3]], _done);
    }

    [Fact]
    public async Task Post_SeveralThatWait_AreGivenTogetherUpToTheMost()
    {
        var thread = new WorkThread<int>("test", Work, most: 3);
        thread.Post(0);
        await _begun.Task.WaitAsync(Cancellation);
        for (var piece = 1; piece <= 4; piece++)
            thread.Post(piece);

        _goOn.Set();
        await thread.DisposeAsync();

        Assert.Equal([[0], [1, 2, 3], [4]], _done);
    }

    [Fact]
    public async Task Post_WhileTheQueueIsFull_Waits()
    {
        var thread = new WorkThread<int>("test", Work, capacity: 1);
        thread.Post(1);
        await _begun.Task.WaitAsync(Cancellation);
        thread.Post(2);
        var taken = false;
        var third = new Thread(() => taken = thread.Post(3)) { IsBackground = true };
        third.Start();
        Assert.True(
            SpinWait.SpinUntil(() => third.ThreadState.HasFlag(ThreadState.WaitSleepJoin), TimeSpan.FromSeconds(20)),
            "The third piece was taken while the queue was full.");
        Assert.Equal(1, thread.Count);

        _goOn.Set();

        Assert.True(third.Join(TimeSpan.FromSeconds(20)));
        Assert.True(taken);
        await thread.DisposeAsync();
        Assert.Equal([[1], [2], [3]], _done);
    }

    [Fact]
    public async Task Post_AfterComplete_IsNotTaken()
    {
        var thread = new WorkThread<int>("test", Work);
        thread.Post(1);
        await _begun.Task.WaitAsync(Cancellation);
        thread.Complete();

        Assert.False(thread.Post(2));
        Assert.False(thread.Ended.IsCompleted);
        _goOn.Set();
        await thread.Ended.WaitAsync(Cancellation);
        Assert.Equal([[1]], _done);
    }

    void Work(IReadOnlyList<int> pieces)
    {
        _begun.TrySetResult();
        _goOn.Wait(Cancellation);
        _done.Add([.. pieces]);
    }
}

using System.Threading.Channels;
using Taba.Grains.Actors;

namespace Taba.Grains.Tests.Actors;

public sealed class SharedWorkTests
{
    readonly Channel<TaskCompletionSource<int>> _begun = Channel.CreateUnbounded<TaskCompletionSource<int>>();
    readonly SharedWork<int> _work;

    public SharedWorkTests() => _work = new(() =>
    {
        var work = new TaskCompletionSource<int>();
        _begun.Writer.TryWrite(work);
        return work.Task;
    });

    [Fact]
    public async Task RunAsync_WhileOneRuns_WaitsForTheNextAndSharesIt()
    {
        var first = _work.RunAsync();
        var (second, third) = (_work.RunAsync(), _work.RunAsync());
        Assert.Same(second, third);
        // The first began before they asked, and so says nothing of what is so now.
        var running = await BegunAsync();
        Assert.False(_begun.Reader.TryRead(out _));

        running.SetResult(1);
        Assert.Equal(1, await first);
        (await BegunAsync()).SetResult(2);
        Assert.Equal((2, 2), (await second, await third));
        Assert.False(_begun.Reader.TryRead(out _));

        var fourth = _work.RunAsync();
        (await BegunAsync()).SetResult(3);
        Assert.Equal(3, await fourth);
    }

    [Fact]
    public async Task RunAsync_OneFails_TheNextRunsAllTheSame()
    {
        var first = _work.RunAsync();
        var second = _work.RunAsync();
        var ended = _work.EndedAsync();
        (await BegunAsync()).SetException(new InvalidOperationException("no answer"));
        await ended;
        await Assert.ThrowsAsync<InvalidOperationException>(() => first);
        (await BegunAsync()).SetResult(2);
        Assert.Equal(2, await second);
    }

    async Task<TaskCompletionSource<int>> BegunAsync() => await _begun.Reader.ReadAsync(TestContext.Current.CancellationToken);
}

using Taba.Grains.Actors;

namespace Taba.Grains.Tests.Actors;

public sealed class SharedWorkTests
{
    readonly List<TaskCompletionSource<int>> _begun = [];
    readonly SharedWork<int> _work;

    public SharedWorkTests() => _work = new(() =>
    {
        _begun.Add(new());
        return _begun[^1].Task;
    });

    [Fact]
    public async Task RunAsync_WhileOneRuns_WaitsForTheNextAndSharesIt()
    {
        var first = _work.RunAsync();
        var (second, third) = (_work.RunAsync(), _work.RunAsync());
        // It began before they asked, and so says nothing of what is so now.
        Assert.Single(_begun);
        Assert.Same(second, third);

        _begun[0].SetResult(1);
        Assert.Equal(1, await first);
        Assert.Equal(2, _begun.Count);
        var fourth = _work.RunAsync();
        _begun[1].SetResult(2);
        Assert.Equal((2, 2), (await second, await third));
        Assert.Equal(3, _begun.Count);
        _begun[2].SetResult(3);
        Assert.Equal(3, await fourth);
    }

    [Fact]
    public async Task RunAsync_OneFails_TheNextRunsAllTheSame()
    {
        var first = _work.RunAsync();
        var second = _work.RunAsync();
        var ended = _work.EndedAsync();
        _begun[0].SetException(new InvalidOperationException("no answer"));
        await ended;
        await Assert.ThrowsAsync<InvalidOperationException>(() => first);
        _begun[1].SetResult(2);
        Assert.Equal(2, await second);
    }
}

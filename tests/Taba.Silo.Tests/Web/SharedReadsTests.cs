using Microsoft.Extensions.Time.Testing;
using Taba.Silo.Web.Live;

namespace Taba.Silo.Tests.Web;

public sealed class SharedReadsTests
{
    readonly FakeTimeProvider _time = new();
    int _reads;

    [Fact]
    public async Task GetAsync_ByManyWithinASecond_ReadsOnce()
    {
        var shared = new SharedReads<string, int>(TimeSpan.FromSeconds(1), 8, _time);
        var gate = new TaskCompletionSource();

        var all = Enumerable.Range(0, 100).Select(_ => shared.GetAsync("a", ReadAsync)).ToList();
        gate.SetResult();
        Assert.All(await Task.WhenAll(all), value => Assert.Equal(1, value));
        _time.Advance(TimeSpan.FromSeconds(0.9));
        Assert.Equal(1, await shared.GetAsync("a", ReadAsync));
        _time.Advance(TimeSpan.FromSeconds(0.2));
        Assert.Equal(2, await shared.GetAsync("a", ReadAsync));

        async Task<int> ReadAsync()
        {
            var mine = ++_reads;
            await gate.Task;
            return mine;
        }
    }

    [Fact]
    public async Task GetAsync_OfAReadThatTakesLong_JoinsItUntilOthersHaveGivenItUp()
    {
        var shared = new SharedReads<string, int>(TimeSpan.FromSeconds(1), 8, _time);
        var never = new TaskCompletionSource<int>();
        var first = shared.GetAsync("a", () => never.Task);
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Same(first, shared.GetAsync("a", () => Task.FromResult(7)));

        _time.Advance(TimeSpan.FromSeconds(6));

        Assert.Equal(7, await shared.GetAsync("a", () => Task.FromResult(7)));
    }

    [Fact]
    public async Task GetAsync_OfMoreThanAreKept_ReadsEach()
    {
        var shared = new SharedReads<int, int>(TimeSpan.FromSeconds(1), 2, _time);
        for (var round = 0; round < 2; round++)
        {
            for (var key = 0; key < 4; key++)
                Assert.Equal(key, await shared.GetAsync(key, () => Task.FromResult(key + 0 * ++_reads)));
        }

        // Two are kept from the first round, and two are read in both.
        Assert.Equal(6, _reads);
    }
}

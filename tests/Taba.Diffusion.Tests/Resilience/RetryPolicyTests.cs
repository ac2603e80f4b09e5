using Taba.Diffusion.Resilience;
using Taba.Diffusion.Tests.Weights.Hub;

namespace Taba.Diffusion.Tests.Resilience;

public sealed class RetryPolicyTests
{
    static readonly RetryPolicy s_policy = new(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));

    readonly InstantTime _time = new();
    int _tries;

    [Fact]
    public async Task Pipeline_FailuresThatPass_PausesDoubleUpToTheLongest()
    {
        var told = new List<(string Failure, int Failures)>();
        var pipeline = s_policy.Pipeline(_time, (failure, failures, _) => told.Add((failure.Message, failures)));

        Assert.Equal(5, await pipeline.ExecuteAsync(async _ => await FailAsync(times: 5), TestContext.Current.CancellationToken));

        Assert.Equal([1, 2, 4, 5, 5], _time.Seconds);
        Assert.Equal([("0", 1), ("1", 2), ("2", 3), ("3", 4), ("4", 5)], told);
    }

    [Fact]
    public async Task Pipeline_MoreFailuresThanTries_ThrowsTheLast()
    {
        var pipeline = (s_policy with { Tries = 3 }).Pipeline(_time);

        var failure = await Assert.ThrowsAsync<IOException>(async () => await pipeline.ExecuteAsync(async _ => await FailAsync(times: 9)));

        Assert.Equal("2", failure.Message);
        Assert.Equal([1, 2], _time.Seconds);
    }

    [Fact]
    public async Task Pipeline_FailureThatDoesNotPass_IsThrownAtOnce()
    {
        var pipeline = (s_policy with { MayPass = failure => failure is not IOException }).Pipeline(_time);

        await Assert.ThrowsAsync<IOException>(async () => await pipeline.ExecuteAsync(async _ => await FailAsync(times: 1)));

        Assert.Equal(1, _tries);
        Assert.Empty(_time.Seconds);
    }

    [Fact]
    public async Task Pipeline_FailureThatAsksForAPause_GetsIt()
    {
        var pipeline = (s_policy with { AskedPause = failure => failure.Message == "1" ? TimeSpan.FromSeconds(30) : null }).Pipeline(_time);

        await pipeline.ExecuteAsync(async _ => await FailAsync(times: 3), TestContext.Current.CancellationToken);

        Assert.Equal([1, 30, 4], _time.Seconds);
    }

    [Fact]
    public async Task Pipeline_CancelledWhileItFails_TriesNoMore()
    {
        using var cancelled = new CancellationTokenSource();
        var pipeline = s_policy.Pipeline(_time, (_, failures, _) =>
        {
            if (failures == 2)
                cancelled.Cancel();
        });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () => await pipeline.ExecuteAsync(async _ => await FailAsync(times: 9), cancelled.Token));

        Assert.Equal(2, _tries);
    }

    /// <summary>Fails so many times, each time with the number of tries before, then gives that number.</summary>
    Task<int> FailAsync(int times) => _tries < times ? Task.FromException<int>(new IOException($"{_tries++}")) : Task.FromResult(_tries);
}

using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Taba.Silo.Clusters;
using Taba.Testing.Servers;

namespace Taba.Cluster.Tests;

/// <summary>A machine whose clock is wrong: it does not become a member, and does not stay one.</summary>
public sealed class ClusterClockTests
{
    static readonly DateTimeOffset s_there = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

    [Theory]
    [InlineData(0, 0, null)]
    [InlineData(60, 60, null)]
    [InlineData(-60, -60, null)]
    [InlineData(61, 62, "61 s ahead of")]
    [InlineData(-63, -62, "62 s behind")]
    [InlineData(86400, 86401, "86400 s ahead of")]
    // The server may have read its clock at the first moment or at the last one.
    [InlineData(-300, 30, null)]
    [InlineData(-30, 300, null)]
    public void Misfit_SecondsFromTheServersClock_IsWhatNoMomentOfTheAnswerExplains(int asked, int answered, string? expected)
    {
        var misfit = ClusterClock.Misfit(s_there.AddSeconds(asked), s_there, s_there.AddSeconds(answered));
        if (expected is null)
            Assert.Null(misfit);
        else
            Assert.Contains(expected, misfit, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Require_ClockOfThisMachineADayAhead_IsRefusedByPostgres()
    {
        Required.Here(PostgresServer.Missing);
        await using var server = await PostgresServer.StartAsync();
        await RequireAsync(new() { Provider = TabaClusterOptions.Postgres, ConnectionString = server.ConnectionString });
    }

    [Fact]
    public async Task Require_ClockOfThisMachineADayAhead_IsRefusedByRedis()
    {
        Required.Here(RedisServer.Missing);
        await using var server = await RedisServer.StartAsync();
        await RequireAsync(new() { Provider = TabaClusterOptions.Redis, ConnectionString = server.ConnectionString });
    }

    [Fact]
    public async Task Require_ClockOfThisMachineADayAhead_IsRefusedByAzure()
    {
        Required.Here(AzuriteServer.Missing);
        await using var server = await AzuriteServer.StartAsync();
        var options = new TabaClusterOptions { Provider = TabaClusterOptions.Azure, AzureConnectionString = server.ConnectionString };
        await AzureTables.PrepareAsync(options, CancellationToken.None);
        await RequireAsync(options);
    }

    [Fact]
    public async Task Watch_ClockThatIsSetWhileTheSiloWorks_SaysThatItMustLeave()
    {
        Required.Here(RedisServer.Missing);
        await using var server = await RedisServer.StartAsync();
        var options = new TabaClusterOptions { Provider = TabaClusterOptions.Redis, ConnectionString = server.ConnectionString };
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var watch = new ClockWatch(options, time, NullLogger<ClockWatch>.Instance);
        await watch.StartAsync(CancellationToken.None);

        time.Advance(TimeSpan.FromSeconds(15));
        await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        Assert.False(watch.Misfit.IsCompleted);

        time.Advance(TimeSpan.FromDays(1));
        Assert.Contains("s ahead of", await watch.Misfit.WaitAsync(ClusterBench.Limit), StringComparison.Ordinal);
        await watch.StopAsync(CancellationToken.None);
    }

    static async Task RequireAsync(TabaClusterOptions options)
    {
        await ClusterClock.RequireAsync(options, TimeProvider.System, CancellationToken.None);

        var ahead = new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddDays(1));
        var refused = await Assert.ThrowsAsync<ClusterUnreachableException>(
            () => ClusterClock.RequireAsync(options, ahead, CancellationToken.None));
        Assert.Contains("s ahead of that of the server where the silos meet", refused.Message, StringComparison.Ordinal);
    }
}

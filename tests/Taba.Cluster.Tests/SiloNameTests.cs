using Taba.Testing;
using Taba.Testing.Clusters;
using Taba.Testing.Servers;

namespace Taba.Cluster.Tests;

/// <summary>Living silos have names of their own; the name of one that was killed is free at once.</summary>
[Trait(Needs.Trait, Needs.Process)]
public sealed class SiloNameTests
{
    [Theory]
    [InlineData("postgres")]
    [InlineData("redis")]
    [InlineData("azure")]
    public async Task Start_NameOfALivingSilo_IsRefusedAndThatOfAKilledOneTaken(string provider)
    {
        Required.Here(provider switch { "postgres" => PostgresServer.Missing, "redis" => RedisServer.Missing, _ => AzuriteServer.Missing });
        await using var cluster = provider switch
        {
            "postgres" => await TestCluster.StartAsync(),
            "redis" => await TestCluster.StartOnRedisAsync(),
            _ => await TestCluster.StartOnAzureAsync(),
        };
        var first = await cluster.StartSiloAsync("w1");
        var second = cluster.BeginSilo("w2");
        await second.SaysAsync("ready", ClusterBench.Limit);

        var twin = (await cluster.BeginTwin("w1").EndAsync(ClusterBench.Limit)).ShouldEnd(2);
        Assert.StartsWith("--name w1 is taken: a silo of this name works for cluster chaos at 127.0.0.1:", twin.LastWord);
        Assert.False(first.HasExited);

        first.Kill();
        await first.EndAsync(ClusterBench.Limit);
        await cluster.StartSiloAsync("w1");
        // That one was killed is no reason for a stack trace.
        Assert.DoesNotContain("   at Orleans", cluster.Silos["w1"].Errors, StringComparison.Ordinal);
    }
}

using Npgsql;
using Taba.Testing.Clusters;
using Taba.Testing.Servers;

namespace Taba.Cluster.Tests;

/// <summary>States that a database lost, or that cannot be read: commands end, or go on, with a sentence.</summary>
public sealed class LostStateTests
{
    [Fact]
    public async Task Plan_LostWhileTheCommandWatches_IsSubmittedAgain()
    {
        Required.Here(PostgresServer.Missing);
        await using var bench = await ClusterBench.OnPostgresAsync(ClusterBench.Smooth(2000));
        await bench.Cluster.StartSiloAsync("w1");
        await using var log = new EvaluationLog(bench.Cluster.Journals);
        var client = bench.Start("run", bench.Sweep, "--out", bench.At("out"));
        await ClusterBench.ReachAsync(log, 500);
        bench.Cluster.Silos["w1"].Kill();
        Assert.Equal(1, await ChangeAsync(bench, "DELETE FROM taba_grain_state WHERE state = 'sweep'"));

        await bench.Cluster.StartSiloAsync("w2");
        var ended = (await client.EndAsync(ClusterBench.Limit)).ShouldEnd(0);

        Assert.Contains("has lost the sweep's plan: it is submitted again", ended.Errors, StringComparison.Ordinal);
        await bench.AssertFilesOfAnUndisturbedRunAsync(bench.At("out"));
    }

    [Fact]
    public async Task State_ThatCannotBeRead_EndsTheCommandWithASentence()
    {
        Required.Here(PostgresServer.Missing);
        await using var bench = await ClusterBench.OnPostgresAsync(ClusterBench.Smooth(20000));
        await bench.Cluster.StartSiloAsync("w1");
        var id = (await bench.DoneAsync("run", bench.Sweep, "--detach")).Trim();
        bench.Cluster.Silos["w1"].Kill();
        Assert.Equal(1, await ChangeAsync(bench, "UPDATE taba_grain_state SET payload = substr(payload, 1, 40) WHERE state = 'sweep'"));
        await bench.Cluster.StartSiloAsync("w2");

        foreach (var command in (string[])["status", "watch", "cancel"])
        {
            var failed = (await bench.RunAsync(command, id)).ShouldEnd(3);
            Assert.Contains("is damaged, or of another version of Taba", failed.Errors, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", failed.Errors, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Stage_ThatCannotBeRead_IsNamedByTheStatusAndItsSweepIsCancelled()
    {
        Required.Here(PostgresServer.Missing);
        await using var bench = await ClusterBench.OnPostgresAsync(ClusterBench.Smooth(20000));
        await bench.Cluster.StartSiloAsync("w1");
        var id = (await bench.DoneAsync("run", bench.Sweep, "--detach")).Trim();
        bench.Cluster.Silos["w1"].Kill();
        // Sampling, inversion, reconstruction, and the blocks that are measured.
        Assert.Equal(4, await ChangeAsync(bench, "UPDATE taba_grain_state SET payload = substr(payload, 1, 40) WHERE state = 'stage'"));
        await bench.Cluster.StartSiloAsync("w2");

        var status = await bench.DoneAsync("status", id);
        Assert.Contains("does not answer, and stands as it was seen last: The state of stage/", status, StringComparison.Ordinal);
        Assert.Contains("is damaged, or of another version of Taba", status, StringComparison.Ordinal);
        Assert.DoesNotContain("Exc level", status, StringComparison.Ordinal);
        Assert.Contains("cancelled", await bench.DoneAsync("cancel", id), StringComparison.Ordinal);
    }

    static async Task<int> ChangeAsync(ClusterBench bench, string text)
    {
        await using var data = NpgsqlDataSource.Create(bench.Cluster.Postgres.ConnectionString);
        await using var command = data.CreateCommand(text);
        return await command.ExecuteNonQueryAsync();
    }
}

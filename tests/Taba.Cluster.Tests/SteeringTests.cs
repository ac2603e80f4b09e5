using System.Text.Json;
using Taba.Testing;
using Taba.Testing.Servers;

namespace Taba.Cluster.Tests;

/// <summary>Commands that look at a cluster and its sweeps, and change what runs.</summary>
public sealed class SteeringTests(SteeringTests.Steered steered) : IClassFixture<SteeringTests.Steered>
{
    const int Samples = 40;

    ClusterBench Bench
    {
        get
        {
            Required.Here(PostgresServer.Missing);
            return steered.Bench!;
        }
    }

    [Fact]
    public void List_OfANewCluster_SaysThatThereAreNoSweeps()
    {
        Required.Here(PostgresServer.Missing);
        Assert.Contains("No sweeps", steered.ListedAtFirst, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_OfACluster_FindsSilosAndStoreAndShowsNoSecret()
    {
        var doctor = await Bench.DoneAsync("doctor");

        Assert.Contains("ok    silos      2 (", doctor, StringComparison.Ordinal);
        Assert.Contains("c1 coordinates", doctor, StringComparison.Ordinal);
        Assert.Contains("ok    store ", doctor, StringComparison.Ordinal);
        Assert.DoesNotContain(PostgresServer.Secret, doctor, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_OfACluster_NamesTheRolesOfItsSilos() =>
        Assert.Contains("coordinator", await Bench.DoneAsync("status"), StringComparison.Ordinal);

    [Fact]
    public async Task Run_Detached_IsWatchedToItsEndAndListedWithItsPriority()
    {
        var id = (await Bench.DoneAsync("run", Bench.Sweep, "name=detached", "--detach", "--priority", "3")).Trim();

        Assert.Contains("completed", await Bench.DoneAsync("watch", id), StringComparison.Ordinal);
        Assert.Contains($"{Samples}/{Samples}", await Bench.DoneAsync("status", id[..6]), StringComparison.Ordinal);
        await Bench.DoneAsync("watch", id[..6], "--out", Bench.At("of-watch"));
        await Bench.DoneAsync("run", Bench.Sweep, "name=detached", "--priority", "3", "--out", Bench.At("of-run"));
        Assert.Empty(SweepFiles.Differences(
            SweepFiles.Digests(Bench.At("of-run")), SweepFiles.Digests(Bench.At("of-watch"))));
        Assert.NotEmpty(SweepFiles.Digests(Bench.At("of-watch")));
        var listed = (await Bench.DoneAsync("list", "--json")).Trim().Split('\n')
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Single(sweep => sweep.GetProperty("id").GetString() == id);
        Assert.Equal(("completed", 3), (listed.GetProperty("state").GetString(), listed.GetProperty("priority").GetInt32()));
        Assert.Equal(
            listed.GetProperty("evaluations_planned").GetDouble(), listed.GetProperty("evaluations_done").GetDouble());
        Assert.Equal($"{Environment.UserName}@{Environment.MachineName}", listed.GetProperty("user").GetString());
    }

    [Fact]
    public async Task PauseAndResume_OfARunningSweep_SayItsState()
    {
        var id = await SubmitLongAsync("paused");

        Assert.Contains("paused", await Bench.DoneAsync("pause", "paused"), StringComparison.Ordinal);
        var again = (await Bench.RunAsync("pause", id)).ShouldEnd(2);
        Assert.Equal($"Sweep {id} (paused) is paused already.", again.Errors.Trim());
        Assert.Contains("running", await Bench.DoneAsync("resume", id), StringComparison.Ordinal);
        (await Bench.RunAsync("resume", id)).ShouldEnd(2);
        (await Bench.RunAsync("retry", id)).ShouldEnd(2);

        await Bench.DoneAsync("cancel", id);
        (await Bench.RunAsync("cancel", id)).ShouldEnd(2);
        var user = $"{Environment.UserName}@{Environment.MachineName}";
        Assert.Equal(
            [$"submitted by {user}", $"paused by {user}", $"resumed by {user}", $"cancelled by {user}", "ended: cancelled"],
            (await Bench.DoneAsync("logs", id)).Trim().Split('\n').Select(line => line["2026-01-01 00:00:00  ".Length..].Trim()));
    }

    [Fact]
    public async Task CancelAndRetry_OfARunningSweep_SayItsState()
    {
        var id = await SubmitLongAsync("cancelled");

        Assert.Contains("cancelled", await Bench.DoneAsync("cancel", id), StringComparison.Ordinal);
        Assert.Contains("running", await Bench.DoneAsync("retry", id), StringComparison.Ordinal);
        Assert.Contains("cancelled", await Bench.DoneAsync("cancel", id), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_OfAnUnknownSweep_IsRefused()
    {
        var refused = (await Bench.RunAsync("status", "nothing-of-that-name")).ShouldEnd(2);
        Assert.Contains("has no sweep 'nothing-of-that-name'", refused.Errors, StringComparison.Ordinal);
    }

    /// <summary>A sweep that does not end meanwhile. Its seed makes its stages its own.</summary>
    async Task<string> SubmitLongAsync(string name) =>
        (await Bench.DoneAsync("run", Bench.Sweep, $"name={name}", $"seed={name.Length}", "samples=20000", "--detach")).Trim();

    /// <summary>A coordinator and a worker for all tests, which name their sweeps apart.</summary>
    public sealed class Steered : IAsyncLifetime
    {
        internal ClusterBench? Bench { get; private set; }

        public string ListedAtFirst { get; private set; } = "";

        public async ValueTask InitializeAsync()
        {
            if (PostgresServer.Missing is not null)
                return;
            Bench = await ClusterBench.OnPostgresAsync(ClusterBench.Smooth(Samples));
            await Bench.Cluster.StartSiloAsync("c1", "coordinator");
            await Bench.Cluster.StartSiloAsync("w1");
            ListedAtFirst = await Bench.DoneAsync("list");
        }

        public async ValueTask DisposeAsync()
        {
            if (Bench is not null)
                await Bench.DisposeAsync();
        }
    }
}

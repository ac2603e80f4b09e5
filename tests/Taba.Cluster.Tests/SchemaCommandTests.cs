using System.Text.Json;
using System.Text.RegularExpressions;
using Npgsql;
using Taba.Testing;
using Taba.Testing.Servers;

namespace Taba.Cluster.Tests;

/// <summary>Who makes the schema of a cluster, what the others say without it, and how few rights they need.</summary>
public sealed partial class SchemaCommandTests
{
    static readonly TimeSpan s_silo = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Schema_OfPostgres_IsMadeByTheCommandAlone()
    {
        Required.Here(PostgresServer.Missing);
        await using var bench = await ClusterBench.OnPostgresAsync(ClusterBench.Smooth(8));
        bench.Cluster.SilosInit = false;

        // Neither a silo nor a client makes anything; both say what would.
        var silo = await bench.Cluster.BeginSilo("w1").EndAsync(s_silo);
        Assert.Equal(3, silo.Status);
        Assert.Contains("`taba cluster init --cluster chaos`", silo.Errors, StringComparison.Ordinal);
        foreach (var command in (string[][])[["list"], ["run", bench.Sweep, "--out", bench.At("out")], ["cluster", "check"]])
        {
            var refused = (await bench.RunAsync(command)).ShouldEnd(3);
            Assert.Contains("`taba cluster init --cluster chaos`", refused.Errors + refused.Output, StringComparison.Ordinal);
        }
        Assert.Equal(0L, await CountTablesAsync(bench.Cluster.Postgres.ConnectionString));

        Assert.Contains("schema version 1 is made", await bench.DoneAsync("cluster", "init"), StringComparison.Ordinal);
        Assert.Contains("already: nothing to do", await bench.DoneAsync("cluster", "init"), StringComparison.Ordinal);
        Assert.Contains("already: nothing to do", await bench.DoneAsync("cluster", "migrate"), StringComparison.Ordinal);
        using var check = JsonDocument.Parse(await bench.DoneAsync("cluster", "check", "--json"));
        Assert.Equal((1, true), (check.RootElement.GetProperty("schema").GetInt32(), check.RootElement.GetProperty("fits").GetBoolean()));
        await bench.Cluster.StartSiloAsync("w1");
        Assert.Contains("No sweeps", await bench.DoneAsync("list"), StringComparison.Ordinal);

        // A newer build was here. It only added: everything goes on, and nothing goes back.
        await using var data = NpgsqlDataSource.Create(bench.Cluster.Postgres.ConnectionString);
        await ExecuteAsync(data, "INSERT INTO taba_schema_version (version, script) VALUES (2, '0002-more.sql')");
        await bench.DoneAsync("list");
        Assert.Contains("nothing goes back", (await bench.RunAsync("cluster", "migrate")).ShouldEnd(2).Errors, StringComparison.Ordinal);
        await ExecuteAsync(data, "INSERT INTO taba_schema_version (version, script) VALUES (3, '0003-contract-more.sql')");
        Assert.Contains("use a newer taba", (await bench.RunAsync("list")).ShouldEnd(3).Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rights_OfTheGuide_AreEnoughForSilosAndClients()
    {
        Required.Here(PostgresServer.Missing);
        await using var bench = await ClusterBench.OnPostgresAsync(ClusterBench.Smooth(40));
        var cluster = bench.Cluster;
        await bench.DoneAsync("cluster", "init");
        var owner = new NpgsqlConnectionStringBuilder(cluster.Postgres.ConnectionString);
        await using (var data = NpgsqlDataSource.Create(owner))
            await ExecuteAsync(data, Grants());
        cluster.SiloDatabase = new NpgsqlConnectionStringBuilder(owner.ConnectionString)
        { Username = "taba_silo", Password = "secret of the silos" }.ConnectionString;
        cluster.ClientDatabase = new NpgsqlConnectionStringBuilder(owner.ConnectionString)
        { Username = "taba_client", Password = "secret of the clients" }.ConnectionString;

        await cluster.StartSiloAsync("w1");
        await bench.DoneAsync("run", bench.Sweep, "--out", bench.At("out"));
        await bench.AssertFilesOfAnUndisturbedRunAsync(bench.At("out"));
        Assert.Contains("completed", await bench.DoneAsync("list"), StringComparison.Ordinal);

        // What they must not do they cannot.
        await using var client = NpgsqlDataSource.Create(cluster.ClientDatabase);
        foreach (var forbidden in (string[])[
            "SELECT count(*) FROM taba_grain_state", "DELETE FROM taba_member", "CREATE TABLE mine (a integer)",
            "UPDATE OrleansQuery SET QueryText = ''"])
        {
            var refused = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(client, forbidden));
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
        }
    }

    [Fact]
    public async Task Redis_NeedsNoCommand()
    {
        Required.Here(RedisServer.Missing);
        await using var bench = await ClusterBench.OnRedisAsync(ClusterBench.Smooth(8));
        bench.Cluster.SilosInit = false;
        await bench.Cluster.StartSiloAsync("w1");
        Assert.Contains("No sweeps", await bench.DoneAsync("list"), StringComparison.Ordinal);
        Assert.Contains("already: nothing to do", await bench.DoneAsync("cluster", "init"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Azure_ClientsMakeNoTables()
    {
        Required.Here(AzuriteServer.Missing);
        await using var bench = await ClusterBench.OnAzureAsync(ClusterBench.Smooth(8));
        bench.Cluster.SilosInit = false;
        const string Advice = "`taba cluster init --cluster chaos`";
        Assert.Contains(Advice, (await bench.RunAsync("list")).ShouldEnd(3).Errors, StringComparison.Ordinal);
        Assert.Contains(Advice, (await bench.Cluster.BeginSilo("w1").EndAsync(s_silo)).Errors, StringComparison.Ordinal);
        await bench.DoneAsync("cluster", "init");
        await bench.Cluster.StartSiloAsync("w1");
        Assert.Contains("No sweeps", await bench.DoneAsync("list"), StringComparison.Ordinal);
    }

    /// <summary>The statements of the guide, as an administrator copies them.</summary>
    static string Grants()
    {
        var guide = File.ReadAllText(Path.Combine(Fixtures.Root, "..", "..", "docs", "guide", "cluster.md"));
        var statements = SqlBlock().Matches(guide).Select(m => m.Groups[1].Value);
        return Assert.Single(statements, s => s.Contains("GRANT", StringComparison.Ordinal));
    }

    static async Task<long> CountTablesAsync(string connectionString)
    {
        await using var data = NpgsqlDataSource.Create(connectionString);
        await using var command = data.CreateCommand("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'");
        return (long)(await command.ExecuteScalarAsync())!;
    }

    static async Task ExecuteAsync(NpgsqlDataSource data, string text)
    {
        await using var command = data.CreateCommand(text);
        await command.ExecuteNonQueryAsync();
    }

    [GeneratedRegex("```sql\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex SqlBlock();
}

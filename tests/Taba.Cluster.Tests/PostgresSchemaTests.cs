using Npgsql;
using Taba.Silo.Clusters;
using Taba.Testing.Servers;

namespace Taba.Cluster.Tests;

/// <summary>
/// The queries that Orleans' ADO.NET providers run, one by one, on a real PostgreSQL: what they return, and what they do in a
/// conflict.
/// </summary>
public sealed class PostgresSchemaTests : IAsyncLifetime
{
    static readonly IReadOnlyList<SchemaScript> s_known = PostgresSchema.Scripts();

    static readonly DateTime s_now = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc);

    PostgresServer? _server;
    NpgsqlDataSource? _data;
    Dictionary<string, string> _queries = [];

    public async ValueTask InitializeAsync()
    {
        if (PostgresServer.Missing is { } reason)
            Assert.Skip(reason);
        _server = await PostgresServer.StartAsync();
        Assert.Equal(new(0, 1), await LookAsync());
        // Those that begin together are one.
        var before = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => ApplyAsync(s_known)));
        Assert.Single(before, b => b.Found == 0);
        Assert.Equal(3, before.Count(b => b.Found == 1));
        _data = NpgsqlDataSource.Create(_server.ConnectionString);
        await using var command = _data.CreateCommand("SELECT QueryKey, QueryText FROM OrleansQuery");
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            _queries[reader.GetString(0)] = reader.GetString(1);
    }

    public async ValueTask DisposeAsync()
    {
        if (_data is not null)
            await _data.DisposeAsync();
        if (_server is not null)
            await _server.DisposeAsync();
    }

    [Fact]
    public async Task Apply_Again_ChangesNothing()
    {
        await ApplyAsync(s_known);
        await using var count = _data!.CreateCommand("SELECT count(*) FROM taba_schema_version");
        Assert.Equal((long)PostgresSchema.Scripts().Count, await count.ExecuteScalarAsync());
    }

    [Fact]
    public async Task Apply_NewerProgram_ExpandsAndThoseOfBeforeGoOn()
    {
        SchemaScript[] newer = [.. s_known, new(2, "0002-more.sql", "CREATE TABLE more (a integer)")];
        Assert.Equal(new(1, 2), await PostgresSchema.LookAsync(_server!.ConnectionString, newer, CancellationToken.None));
        // Not what a silo does that finds the tables of before.
        Assert.Equal(new(1, 2), await ApplyAsync(newer, onlyEmpty: true));
        Assert.Equal(1, (await LookAsync()).Found);

        var before = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => ApplyAsync(newer)));
        Assert.Single(before, b => b.Found == 1);
        Assert.Equal(new(2, 1), await LookAsync());
        Assert.True((await LookAsync()).Fits);
        // Nothing goes back.
        Assert.Equal(new(2, 1), await ApplyAsync(s_known));
        Assert.Equal(2, (await LookAsync()).Found);
    }

    [Fact]
    public async Task Apply_NewerProgramContracts_ThoseOfBeforeSaySo()
    {
        await ApplyAsync([.. s_known, new(2, "0002-more.sql", "SELECT 1"), new(3, "0003-contract-hosts.sql", "SELECT 1")]);
        var state = await LookAsync();
        Assert.False(state.Fits);
        Assert.Contains(
            "with 0003-contract-hosts.sql it has lost what this program of version 1 uses", state.Misfit("lab"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Apply_ScriptFails_NothingOfItStays()
    {
        const string More = "CREATE TABLE more (a integer)";
        SchemaScript[] broken = [.. s_known, new(2, "0002-more.sql", More), new(3, "0003-broken.sql", More)];
        await Assert.ThrowsAsync<ClusterUnreachableException>(() => ApplyAsync(broken));
        Assert.Equal(new(1, 1), await LookAsync());
        await using var more = _data!.CreateCommand("SELECT to_regclass('more') IS NULL");
        Assert.True((bool)(await more.ExecuteScalarAsync())!);
    }

    Task<SchemaState> LookAsync() => PostgresSchema.LookAsync(_server!.ConnectionString, s_known, CancellationToken.None);

    Task<SchemaState> ApplyAsync(IReadOnlyList<SchemaScript> scripts, bool onlyEmpty = false) =>
        PostgresSchema.ApplyAsync(_server!.ConnectionString, scripts, onlyEmpty, CancellationToken.None);

    [Fact]
    public async Task Membership_RowsVersionsAndConflicts()
    {
        Assert.True(await ScalarAsync<bool>("InsertMembershipVersionKey", ("DeploymentId", "c")));
        Assert.False(await ScalarAsync<bool>("InsertMembershipVersionKey", ("DeploymentId", "c")));
        // With no silos one row with the version.
        var empty = Assert.Single(await RowsAsync("MembershipReadAllKey", ("DeploymentId", "c")));
        Assert.Equal((0, DBNull.Value), ((int)empty["Version"], empty["StartTime"]));

        Assert.True(await ScalarAsync<bool>("InsertMembershipKey", Silo(1, version: 0)));
        Assert.False(await ScalarAsync<bool>("InsertMembershipKey", Silo(1, version: 1)));
        Assert.False(await ScalarAsync<bool>("InsertMembershipKey", Silo(2, version: 0)));
        Assert.True(await ScalarAsync<bool>("InsertMembershipKey", Silo(2, version: 1)));

        Assert.True(await ScalarAsync<bool>(
            "UpdateMembershipKey", [.. Key(1), ("Status", 3), ("SuspectTimes", DBNull.Value), ("IAmAliveTime", s_now), ("Version", 2)]));
        Assert.False(await ScalarAsync<bool>(
            "UpdateMembershipKey", [.. Key(1), ("Status", 6), ("SuspectTimes", "x"), ("IAmAliveTime", s_now), ("Version", 2)]));
        Assert.False(await ScalarAsync<bool>(
            "UpdateMembershipKey", [.. Key(9), ("Status", 6), ("SuspectTimes", "x"), ("IAmAliveTime", s_now), ("Version", 3)]));
        var one = Assert.Single(await RowsAsync("MembershipReadRowKey", Key(1)));
        Assert.Equal((3, 3, "silo1"), ((int)one["Version"], (int)one["Status"], (string)one["SiloName"]));
        Assert.Equal(DBNull.Value, Assert.Single(await RowsAsync("MembershipReadRowKey", Key(9)))["StartTime"]);
        Assert.Equal(2, (await RowsAsync("MembershipReadAllKey", ("DeploymentId", "c"))).Count);

        await RowsAsync("UpdateIAmAlivetimeKey", [.. Key(1), ("IAmAliveTime", s_now.AddHours(1))]);
        Assert.Equal(s_now.AddHours(1), Assert.Single(await RowsAsync("MembershipReadRowKey", Key(1)))["IAmAliveTime"]);

        var gateway = Assert.Single(await RowsAsync("GatewaysQueryKey", ("DeploymentId", "c"), ("Status", 3)));
        Assert.Equal(("10.0.0.1", 30001, 1), ((string)gateway["Address"], (int)gateway["ProxyPort"], (int)gateway["Generation"]));
    }

    [Fact]
    public async Task Membership_CleaningUp_TakesOnlyTheDead()
    {
        await ScalarAsync<bool>("InsertMembershipVersionKey", ("DeploymentId", "c"));
        await ScalarAsync<bool>("InsertMembershipKey", Silo(1, version: 0));
        await ScalarAsync<bool>("InsertMembershipKey", Silo(2, version: 1));
        await ScalarAsync<bool>("InsertMembershipKey", Silo(3, version: 2));
        await ScalarAsync<bool>(
            "UpdateMembershipKey", [.. Key(2), ("Status", 6), ("SuspectTimes", ""), ("IAmAliveTime", s_now), ("Version", 3)]);
        await ScalarAsync<bool>(
            "UpdateMembershipKey", [.. Key(3), ("Status", 6), ("SuspectTimes", "v"), ("IAmAliveTime", s_now), ("Version", 4)]);
        // Another vote came in since it was read.
        await RowsAsync(
            "CleanupDefunctSiloEntryKey", [.. Key(3), ("SuspectTimes", "other"), ("StartTime", s_now), ("IAmAliveTime", s_now)]);
        Assert.Equal(3, (await RowsAsync("MembershipReadAllKey", ("DeploymentId", "c"))).Count);
        // None and empty are the same.
        await RowsAsync(
            "CleanupDefunctSiloEntryKey", [.. Key(2), ("SuspectTimes", DBNull.Value), ("StartTime", s_now), ("IAmAliveTime", s_now)]);
        Assert.Equal(2, (await RowsAsync("MembershipReadAllKey", ("DeploymentId", "c"))).Count);
        await RowsAsync("CleanupDefunctSiloEntriesKey", ("DeploymentId", "c"), ("IAmAliveTime", s_now.AddDays(1)));
        Assert.Equal("silo1", Assert.Single(await RowsAsync("MembershipReadAllKey", ("DeploymentId", "c")))["SiloName"]);
        await RowsAsync("DeleteMembershipTableEntriesKey", ("DeploymentId", "c"));
        Assert.Empty(await RowsAsync("MembershipReadAllKey", ("DeploymentId", "c")));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("stage-with-a-text-key")]
    public async Task GrainState_VersionsAndConflicts(string? text)
    {
        Assert.Empty(await RowsAsync("ReadFromStorageKey", Grain(text)));
        // Two activations that both believe that there is nothing: one wins.
        var first = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => WriteAsync(text, null, (byte)i)));
        Assert.Single(first, v => v == 1);
        Assert.Equal(7, first.Count(v => v is null));
        var next = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => WriteAsync(text, 1, (byte)i)));
        Assert.Single(next, v => v == 2);
        Assert.Null(await WriteAsync(text, 1, 9));
        Assert.Null(await WriteAsync(text, null, 9));
        Assert.Equal(2, Assert.Single(await RowsAsync("ReadFromStorageKey", Grain(text)))["Version"]);

        Assert.Empty(await RowsAsync("ClearStorageKey", [.. Grain(text), ("GrainStateVersion", 1)]));
        await RowsAsync("ClearStorageKey", [.. Grain(text), ("GrainStateVersion", 2)]);
        var cleared = Assert.Single(await RowsAsync("ReadFromStorageKey", Grain(text)));
        Assert.Equal((DBNull.Value, 3), (cleared["PayloadBinary"], (int)cleared["Version"]));
        Assert.Null(await WriteAsync(text, null, 9));
        Assert.Empty(await RowsAsync("DeleteStorageKey", [.. Grain(text), ("GrainStateVersion", 1)]));
        Assert.Single(await RowsAsync("DeleteStorageKey", [.. Grain(text), ("GrainStateVersion", 3)]));
        Assert.Null(await WriteAsync(text, 3, 9));
    }

    [Fact]
    public async Task GrainState_KeysWithEqualHashes_AreApart()
    {
        await WriteAsync("a", null, 1);
        await WriteAsync("b", null, 2);
        Assert.Equal(new byte[] { 1 }, Assert.Single(await RowsAsync("ReadFromStorageKey", Grain("a")))["PayloadBinary"]);
        Assert.Equal(new byte[] { 2 }, Assert.Single(await RowsAsync("ReadFromStorageKey", Grain("b")))["PayloadBinary"]);
    }

    [Fact]
    public async Task Reminders_RangesAndTags()
    {
        foreach (var (name, hash) in new[] { ("low", -100), ("zero", 0), ("high", 100) })
            await RemindAsync(name, hash);
        Assert.Equal(["high", "zero"], await NamesAsync("ReadRangeRows1Key", ("ServiceId", "s"), ("BeginHash", -100), ("EndHash", 100)));
        Assert.Equal(["high", "low"], await NamesAsync("ReadRangeRows2Key", ("ServiceId", "s"), ("BeginHash", 0), ("EndHash", -100)));
        Assert.Equal(["high", "low", "zero"], await NamesAsync("ReadRangeRows2Key", ("ServiceId", "s"), ("BeginHash", 7), ("EndHash", 7)));
        Assert.Equal(["high", "low", "zero"], await NamesAsync("ReadReminderRowsKey", ("ServiceId", "s"), ("GrainId", "g")));

        var tag = await RemindAsync("low", -100);
        var row = Assert.Single(await RowsAsync("ReadReminderRowKey", ("ServiceId", "s"), ("GrainId", "g"), ("ReminderName", "low")));
        Assert.Equal((tag, 60_000L, s_now), ((int)row["Version"], (long)row["Period"], (DateTime)row["StartTime"]));
        Assert.False(await ScalarAsync<bool>(
            "DeleteReminderRowKey", ("ServiceId", "s"), ("GrainId", "g"), ("ReminderName", "low"), ("Version", tag - 1)));
        Assert.True(await ScalarAsync<bool>(
            "DeleteReminderRowKey", ("ServiceId", "s"), ("GrainId", "g"), ("ReminderName", "low"), ("Version", tag)));
        await RowsAsync("DeleteReminderRowsKey", ("ServiceId", "s"));
        Assert.Empty(await RowsAsync("ReadReminderRowsKey", ("ServiceId", "s"), ("GrainId", "g")));
    }

    static (string, object)[] Key(int n) => [("DeploymentId", "c"), ("Address", $"10.0.0.{n}"), ("Port", 11111), ("Generation", n)];

    static (string, object)[] Silo(int n, int version) =>
    [
        .. Key(n), ("SiloName", $"silo{n}"), ("HostName", "host"), ("Status", 1), ("ProxyPort", 30000 + n), ("StartTime", s_now),
        ("IAmAliveTime", s_now), ("Version", version),
    ];

    static (string, object)[] Grain(string? text) =>
    [
        ("GrainIdHash", 7), ("GrainTypeHash", 8), ("GrainIdN0", 0L), ("GrainIdN1", text is null ? 5L : 0L), ("GrainTypeString", "stage"),
        ("ServiceId", "s"), ("GrainIdExtensionString", (object?)text ?? DBNull.Value),
    ];

    async Task<int?> WriteAsync(string? text, int? version, byte payload)
    {
        var rows = await RowsAsync(
            "WriteToStorageKey",
            [.. Grain(text), ("GrainStateVersion", (object?)version ?? DBNull.Value), ("PayloadBinary", new[] { payload })]);
        return rows.Count == 0 ? null : (int)Assert.Single(rows)["NewGrainStateVersion"];
    }

    async Task<int> RemindAsync(string name, int hash) => (int)Assert.Single(await RowsAsync(
        "UpsertReminderRowKey", ("ServiceId", "s"), ("GrainId", "g"), ("ReminderName", name), ("GrainHash", hash), ("StartTime", s_now),
        ("Period", 60_000)))["Version"];

    async Task<IEnumerable<string>> NamesAsync(string key, params (string, object)[] parameters) =>
        (await RowsAsync(key, parameters)).Select(r => (string)r["ReminderName"]).Order(StringComparer.Ordinal);

    async Task<T> ScalarAsync<T>(string key, params (string, object)[] parameters) =>
        (T)Assert.Single(await RowsAsync(key, parameters)).Values.Single();

    /// <summary>Runs a query as the providers do: parameters by name and type, every row read.</summary>
    async Task<List<Dictionary<string, object>>> RowsAsync(string key, params (string Name, object Value)[] parameters)
    {
        await using var command = _data!.CreateCommand(_queries[key]);
        foreach (var (name, value) in parameters)
        {
            command.Parameters.Add(value is DBNull
                ? new(
                    name, name == "GrainStateVersion" ? NpgsqlTypes.NpgsqlDbType.Integer : NpgsqlTypes.NpgsqlDbType.Text)
                { Value = value }
                : new NpgsqlParameter(name, value));
        }
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<Dictionary<string, object>>();
        while (await reader.ReadAsync())
            rows.Add(Enumerable.Range(0, reader.FieldCount).ToDictionary(reader.GetName, reader.GetValue));
        return rows;
    }
}

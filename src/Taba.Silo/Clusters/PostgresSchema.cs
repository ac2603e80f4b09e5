using System.Reflection;
using Npgsql;

namespace Taba.Silo.Clusters;

/// <summary>
/// The schema of a database: the scripts in <c>Sql/</c>, in order, each once, in one transaction. Whoever brings it forward at the same
/// time waits, and finds it done.
/// </summary>
static class PostgresSchema
{
    /// <summary>An advisory lock is named by a number; this one stands for "taba schema".</summary>
    const long LockName = 0x7461626173636865;

    /// <summary>In the name of a script that takes away what older programs use.</summary>
    const string Contract = "-contract-";

    /// <summary>Reads which scripts were applied. Needs no right but to read <c>taba_schema_version</c>.</summary>
    /// <param name="scripts">Those that this program knows.</param>
    /// <exception cref="ClusterUnreachableException">The server does not answer, or refuses.</exception>
    public static Task<SchemaState> LookAsync(
        string connectionString, IReadOnlyList<SchemaScript> scripts, CancellationToken cancellationToken) =>
        OnServerAsync(connectionString, connection => ReadAsync(connection, scripts, cancellationToken), cancellationToken);

    /// <summary>The server's clock.</summary>
    /// <exception cref="ClusterUnreachableException">The server does not answer, or refuses.</exception>
    public static Task<DateTimeOffset> NowAsync(string connectionString, CancellationToken cancellationToken) =>
        OnServerAsync(connectionString, async connection =>
        {
            await using var now = new NpgsqlCommand("SELECT clock_timestamp()", connection);
            return new DateTimeOffset((DateTime)(await now.ExecuteScalarAsync(cancellationToken))!);
        }, cancellationToken);

    /// <summary>Applies the scripts that are missing.</summary>
    /// <param name="scripts">Those that this program knows.</param>
    /// <param name="onlyEmpty">Only in a database that has none.</param>
    /// <returns>What was there before.</returns>
    /// <exception cref="ClusterUnreachableException">The server does not answer, or refuses.</exception>
    public static Task<SchemaState> ApplyAsync(
        string connectionString, IReadOnlyList<SchemaScript> scripts, bool onlyEmpty, CancellationToken cancellationToken) =>
        OnServerAsync(connectionString, async connection =>
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await RunAsync(connection, $"SELECT pg_advisory_xact_lock({LockName})", cancellationToken);
            var before = await ReadAsync(connection, scripts, cancellationToken);
            if (before.Found >= before.Known || (onlyEmpty && before.Found > 0))
                return before;
            await RunAsync(
                connection,
                "CREATE TABLE IF NOT EXISTS taba_schema_version (version integer PRIMARY KEY, script text NOT NULL, applied_at "
                + "timestamptz NOT NULL DEFAULT now())",
                cancellationToken);
            foreach (var script in scripts.Where(s => s.Version > before.Found))
            {
                await RunAsync(connection, script.Text, cancellationToken);
                await using var note = new NpgsqlCommand("INSERT INTO taba_schema_version (version, script) VALUES ($1, $2)", connection)
                {
                    Parameters = { new() { Value = script.Version }, new() { Value = script.Name } },
                };
                await note.ExecuteNonQueryAsync(cancellationToken);
            }
            await transaction.CommitAsync(cancellationToken);
            return before;
        }, cancellationToken);

    /// <summary>Scripts by version; a file is named NNNN-what.sql, or NNNN-contract-what.sql.</summary>
    internal static IReadOnlyList<SchemaScript> Scripts()
    {
        var assembly = Assembly.GetExecutingAssembly();
        return
        [
            .. assembly.GetManifestResourceNames()
                .Where(name => name.EndsWith(".sql", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(name => new SchemaScript(int.Parse(name.AsSpan(0, 4)), name, Text(assembly, name))),
        ];
    }

    static string Text(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    static async Task<SchemaState> ReadAsync(
        NpgsqlConnection connection, IReadOnlyList<SchemaScript> scripts, CancellationToken cancellationToken)
    {
        var (found, known, contract) = (0, scripts[^1].Version, (string?)null);
        // Not to_regclass: it may know from before a wait for the lock that there is no such table.
        await using var there = new NpgsqlCommand(
            "SELECT EXISTS (SELECT FROM pg_catalog.pg_tables WHERE tablename = 'taba_schema_version' AND schemaname = ANY "
            + "(current_schemas(false)))", connection);
        if (!(bool)(await there.ExecuteScalarAsync(cancellationToken))!)
            return new(0, known);
        await using var applied = new NpgsqlCommand("SELECT version, script FROM taba_schema_version ORDER BY version", connection);
        await using var reader = await applied.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            found = reader.GetInt32(0);
            if (found > known && reader.GetString(1).Contains(Contract, StringComparison.Ordinal))
                contract ??= reader.GetString(1);
        }
        return new(found, known, contract);
    }

    static async Task<T> OnServerAsync<T>(
        string connectionString, Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync(cancellationToken);
            return await work(connection);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            throw new ClusterUnreachableException(
                $"PostgreSQL refuses the role of the connection string: {exception.MessageText}; docs/guide/cluster.md has the rights of "
                + "each role", exception);
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException or ArgumentException)
        {
            throw new ClusterUnreachableException($"PostgreSQL cannot be used: {exception.Message}", exception);
        }
    }

    static async Task RunAsync(NpgsqlConnection connection, string text, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(text, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>A step of the schema.</summary>
sealed record SchemaScript(int Version, string Name, string Text);

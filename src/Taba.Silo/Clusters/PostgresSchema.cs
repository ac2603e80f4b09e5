using System.Reflection;
using Npgsql;

namespace Taba.Silo.Clusters;

/// <summary>
/// Brings a database to the version that this program needs: the scripts in <c>Sql/</c>, in order, each once, in one transaction.
/// Silos that start together wait for each other.
/// </summary>
static class PostgresSchema
{
    /// <summary>An advisory lock is named by a number; this one stands for "taba schema".</summary>
    const long LockName = 0x7461626173636865;

    /// <exception cref="ClusterUnreachableException">The server does not answer, or refuses.</exception>
    public static async Task ApplyAsync(string connectionString, CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync(cancellationToken);
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await RunAsync(connection, $"SELECT pg_advisory_xact_lock({LockName})", cancellationToken);
            await RunAsync(
                connection,
                "CREATE TABLE IF NOT EXISTS taba_schema_version (version integer PRIMARY KEY, script text NOT NULL, applied_at "
                + "timestamptz NOT NULL DEFAULT now())",
                cancellationToken);
            var applied = await VersionAsync(connection, cancellationToken);
            var scripts = Scripts();
            if (applied > scripts[^1].Version)
                throw new ClusterUnreachableException(
                    $"the database has schema version {applied}, and this program knows {scripts[^1].Version}: a newer silo was here; "
                    + "use its version");
            foreach (var (version, name, text) in scripts.Where(s => s.Version > applied))
            {
                await RunAsync(connection, text, cancellationToken);
                await using var note = new NpgsqlCommand("INSERT INTO taba_schema_version (version, script) VALUES ($1, $2)", connection)
                {
                    Parameters = { new() { Value = version }, new() { Value = name } },
                };
                await note.ExecuteNonQueryAsync(cancellationToken);
            }
            await transaction.CommitAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException or ArgumentException)
        {
            throw new ClusterUnreachableException($"PostgreSQL cannot be used: {exception.Message}", exception);
        }
    }

    /// <summary>Scripts by version; a file is named NNNN-what.sql.</summary>
    internal static IReadOnlyList<(int Version, string Name, string Text)> Scripts()
    {
        var assembly = Assembly.GetExecutingAssembly();
        return
        [
            .. assembly.GetManifestResourceNames()
                .Where(name => name.EndsWith(".sql", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .Select(name => (int.Parse(name.AsSpan(0, 4)), name, Text(assembly, name))),
        ];
    }

    static string Text(Assembly assembly, string name)
    {
        using var reader = new StreamReader(assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }

    static async Task<int> VersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT coalesce(max(version), 0) FROM taba_schema_version", connection);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    static async Task RunAsync(NpgsqlConnection connection, string text, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(text, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

using Microsoft.Data.Sqlite;

namespace Taba.Storage.GrainState;

/// <summary>
/// The statements over <c>grain_state</c>. A row's version is its ETag and only rises: a cleared state keeps its row without
/// a payload, so that a writer from before the clear cannot pass for one from after it.
/// </summary>
static class GrainStateTable
{
    /// <summary>The row of a grain's state, or null.</summary>
    public static StoredState? Read(SqliteConnection connection, string stateName, string grainId)
    {
        using var command = Command(
            connection, "SELECT version, payload FROM grain_state WHERE state_name = $state AND grain_id = $grain", stateName, grainId);
        using var reader = command.ExecuteReader();
        return reader.Read() ? new(reader.GetInt64(0), reader.IsDBNull(1) ? null : reader.GetFieldValue<byte[]>(1)) : null;
    }

    /// <summary>Stores a payload, or null to clear, if the row still has the expected version.</summary>
    /// <param name="connection">The database.</param>
    /// <param name="stateName">Name of the state.</param>
    /// <param name="grainId">The grain.</param>
    /// <param name="expected">The version that was read; null when there was no row.</param>
    /// <param name="payload">The new payload.</param>
    public static WriteResult Write(SqliteConnection connection, string stateName, string grainId, long? expected, byte[]? payload)
    {
        using var command = Command(connection, expected is null
            ? "INSERT INTO grain_state VALUES ($state, $grain, 1, $payload) ON CONFLICT DO NOTHING RETURNING version"
            : "UPDATE grain_state SET version = version + 1, payload = $payload WHERE state_name = $state AND grain_id = $grain AND "
                + "version = $expected RETURNING version",
            stateName, grainId);
        command.Parameters.AddWithValue("$payload", (object?)payload ?? DBNull.Value);
        if (expected is not null)
            command.Parameters.AddWithValue("$expected", expected);
        if (command.ExecuteScalar() is long version)
            return new(true, version);
        return new(false, Read(connection, stateName, grainId)?.Version);
    }

    /// <summary>Clears the state; nothing to do where there is none.</summary>
    public static WriteResult Clear(SqliteConnection connection, string stateName, string grainId, long? expected)
    {
        var stored = Read(connection, stateName, grainId);
        if (expected is null && stored?.Payload is null)
            return new(true, stored?.Version);
        return Write(connection, stateName, grainId, expected, null);
    }

    static SqliteCommand Command(SqliteConnection connection, string sql, string stateName, string grainId)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddWithValue("$state", stateName);
        command.Parameters.AddWithValue("$grain", grainId);
        return command;
    }
}

/// <param name="Payload">Null after a clear.</param>
sealed record StoredState(long Version, byte[]? Payload);

/// <param name="Stored">Whether the version was the expected one.</param>
/// <param name="Version">The version that is in the table now; null when there is no row.</param>
readonly record struct WriteResult(bool Stored, long? Version);

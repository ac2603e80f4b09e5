using Microsoft.Data.Sqlite;
using Taba.Storage.Objects;

namespace Taba.Storage.GrainState;

/// <summary>The file of grain state: its schema, its settings, and its errors in words. Used by one thread.</summary>
sealed class SqliteDatabase(string path) : IDisposable
{
    /// <summary>Version of the tables; a file of a newer one is refused.</summary>
    public const long SchemaVersion = 1;

    /// <summary>A full disk is not always reported as such (the shared-memory file fails with a plain I/O error).</summary>
    const long FullBelowBytes = 1 << 20;

    const int Busy = 5;
    const int Locked = 6;
    const int IoError = 10;
    const int Corrupt = 11;
    const int DiskFull = 13;
    const int NotADatabase = 26;

    SqliteConnection? _connection;

    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>Runs statements in one transaction.</summary>
    /// <returns>Null after the commit; else why nothing was stored.</returns>
    public Exception? TryCommit(IReadOnlyList<SqliteThread.Work> statements)
    {
        try
        {
            _connection ??= Open();
            using var transaction = _connection.BeginTransaction(deferred: false);
            foreach (var statement in statements)
                statement.Execute(_connection);
            transaction.Commit();
            return null;
        }
        catch (Exception exception)
        {
            // Whether SQLite has rolled back depends on the error: a new connection knows only what is committed.
            Dispose();
            return Explain(exception);
        }
    }

    public void Dispose()
    {
        try
        {
            _connection?.Dispose();
        }
        catch (SqliteException)
        {
            // The file is as its last commit left it.
        }
        _connection = null;
    }

    SqliteConnection Open()
    {
        DurableFile.CreateDirectory(System.IO.Path.GetDirectoryName(Path)!);
        // SQLite gives its log the permissions of the file.
        FilePermissions.CreateForOwner(Path);
        var settings = new SqliteConnectionStringBuilder { DataSource = Path, Pooling = false, DefaultTimeout = 10 };
        var connection = new SqliteConnection(settings.ToString());
        try
        {
            connection.Open();
            // FULL: a lease's epoch must survive a power failure before it is handed out. One flush serves a whole batch.
            Execute(connection, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
            using var transaction = connection.BeginTransaction(deferred: false);
            Execute(connection, """
                CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL);
                INSERT INTO schema_version SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM schema_version);
                CREATE TABLE IF NOT EXISTS grain_state (
                    state_name TEXT NOT NULL,
                    grain_id TEXT NOT NULL,
                    version INTEGER NOT NULL,
                    payload BLOB NULL,
                    PRIMARY KEY (state_name, grain_id));
                """);
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT max(version) FROM schema_version";
            if (command.ExecuteScalar() is long version and > SchemaVersion)
                throw new StoreException(
                    $"the grain state {Path} was written by a newer version (schema {version}, this one knows {SchemaVersion}): use "
                    + "that version, or another output folder");
            transaction.Commit();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    Exception Explain(Exception exception) => exception switch
    {
        SqliteException { SqliteErrorCode: DiskFull } => DiskErrors.Full(Path, exception),
        SqliteException { SqliteErrorCode: IoError } when DiskSpace.Available(Path) < FullBelowBytes => DiskErrors.Full(Path, exception),
        SqliteException { SqliteErrorCode: Busy or Locked } => new StoreException(
            $"the grain state {Path} is in use by another process: wait until it ends", exception),
        SqliteException { SqliteErrorCode: Corrupt or NotADatabase } => new StoreException(
            $"the grain state {Path} is damaged ({exception.Message}): delete it with its -wal and -shm files and run the same command;"
            + " what is published stays", exception),
        SqliteException => new StoreException($"the grain state {Path} cannot be used: {exception.Message}", exception),
        _ when DiskErrors.IsDisk(exception) => DiskErrors.Wrap(exception, "use the grain state", Path),
        _ => exception,
    };

    static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}

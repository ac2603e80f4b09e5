using Microsoft.Data.Sqlite;
using Taba.Diffusion.Engine;

namespace Taba.Silo.GrainState;

/// <summary>
/// The one thread that uses the database. SQLite blocks its caller and takes one writer: grains wait here without a thread,
/// and what has gathered while the disk was busy is committed together. Nobody is answered before the commit.
/// </summary>
sealed class SqliteThread : IDisposable, IAsyncDisposable
{
    const int MaxBatch = 256;

    readonly SqliteDatabase _database;
    readonly WorkThread<Work> _thread;

    public SqliteThread(SqliteDatabase database)
    {
        _database = database;
        _thread = new("taba grain state", Commit, most: MaxBatch);
    }

    /// <summary>Runs within a transaction, and returns after its commit.</summary>
    /// <exception cref="Storage.StoreException">The database or its disk failed; nothing of this statement is stored.</exception>
    public Task<T> RunAsync<T>(Func<SqliteConnection, T> statement)
    {
        var work = new Work<T>(statement);
        return _thread.Post(work) ? work.Task
            : throw new ObjectDisposedException($"The grain state in {_database.Path} is closed.", (Exception?)null);
    }

    public void Dispose()
    {
        _thread.Dispose();
        _database.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await _thread.DisposeAsync();
        _database.Dispose();
    }

    void Commit(IReadOnlyList<Work> batch)
    {
        var failure = _database.TryCommit(batch);
        foreach (var work in batch)
        {
            // One statement that fails must not fail its neighbours: after a failed batch each is tried alone.
            work.Answer(failure is null || batch.Count == 1 ? failure : _database.TryCommit([work]));
        }
    }

    /// <summary>A statement and whoever waits for it.</summary>
    public abstract class Work
    {
        public abstract void Execute(SqliteConnection connection);

        public abstract void Answer(Exception? failure);
    }

    sealed class Work<T>(Func<SqliteConnection, T> statement) : Work
    {
        readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
        T _result = default!;

        public Task<T> Task => _answer.Task;

        public override void Execute(SqliteConnection connection) => _result = statement(connection);

        public override void Answer(Exception? failure)
        {
            if (failure is null)
                _answer.SetResult(_result);
            else
                _answer.SetException(failure);
        }
    }
}

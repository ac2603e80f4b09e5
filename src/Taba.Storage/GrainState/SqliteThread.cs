using System.Threading.Channels;
using Microsoft.Data.Sqlite;

namespace Taba.Storage.GrainState;

/// <summary>
/// The one thread that uses the database. SQLite blocks its caller and takes one writer: grains wait here without a thread,
/// and what has gathered while the disk was busy is committed together. Nobody is answered before the commit.
/// </summary>
sealed class SqliteThread : IDisposable, IAsyncDisposable
{
    const int MaxBatch = 256;

    readonly SqliteDatabase _database;
    readonly Channel<Work> _queue = Channel.CreateUnbounded<Work>(new() { SingleReader = true });
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SqliteThread(SqliteDatabase database)
    {
        _database = database;
        new Thread(Run) { Name = "taba grain state", IsBackground = true }.Start();
    }

    /// <summary>Runs within a transaction, and returns after its commit.</summary>
    /// <exception cref="StoreException">The database or its disk failed; nothing of this statement is stored.</exception>
    public Task<T> RunAsync<T>(Func<SqliteConnection, T> statement)
    {
        var work = new Work<T>(statement);
        return _queue.Writer.TryWrite(work) ? work.Task
            : throw new ObjectDisposedException($"The grain state in {_database.Path} is closed.", (Exception?)null);
    }

    /// <summary>Commits what waits, and closes the file.</summary>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _ended.Task;
        _database.Dispose();
    }

    void Run()
    {
        var batch = new List<Work>();
        while (_queue.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            batch.Clear();
            while (batch.Count < MaxBatch && _queue.Reader.TryRead(out var work))
                batch.Add(work);
            Commit(batch);
        }
        _ended.SetResult();
    }

    void Commit(List<Work> batch)
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

using System.Diagnostics;
using System.Threading.Channels;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Storage.Checkpoints;

/// <summary>
/// The rows of the parts in flight, a file for each attempt: written behind, replaced as a whole, read by the attempt that comes next. A
/// crash loses at most what was put since the last write of the part. What waits for the disk is the newest state of each row and no more.
/// </summary>
public sealed class PartCheckpoints : IAsyncDisposable
{
    const int MostWrites = 8;

    readonly IObjectStore _objects;
    readonly CheckpointOptions _options;
    readonly TimeProvider _time;
    readonly bool _goesOnAfterFaults;
    readonly TaskScheduler _background;
    readonly Lock _gate = new();
    readonly Dictionary<PartAttempt, Part> _parts = [];
    readonly Channel<Part> _dirty = Channel.CreateUnbounded<Part>();
    readonly CancellationTokenSource _closing = new();
    readonly Task _writers;
    volatile StoreException? _failure;

    /// <param name="objects">Where the tensors are too, so that another machine goes on from here.</param>
    /// <param name="goesOnAfterFaults">
    /// Whether a place that fails is tried again until it works. Otherwise the first failure is the last, and the process is to end.
    /// </param>
    /// <param name="background">Runs the writers, and reads that would block; the thread pool when null.</param>
    public PartCheckpoints(
        IObjectStore objects, bool goesOnAfterFaults, CheckpointOptions? options = null, TimeProvider? time = null,
        TaskScheduler? background = null)
    {
        _background = background ?? TaskScheduler.Default;
        (_objects, _goesOnAfterFaults, _options, _time) = (objects, goesOnAfterFaults, options ?? new(), time ?? TimeProvider.System);
        _writers = Task.WhenAll(Enumerable.Range(0, MostWrites).Select(_ => Task.Factory.StartNew(
            WriteAsync, CancellationToken.None, TaskCreationOptions.DenyChildAttach, _background).Unwrap()));
    }

    /// <summary>A write failed; raised on a writer, each time when it is tried again.</summary>
    public event Action<Exception>? Failed;

    /// <summary>How long the oldest state has waited for the disk; zero when none does.</summary>
    public TimeSpan OldestWaiting
    {
        get
        {
            lock (_gate)
            {
                var since = _parts.Values.SelectMany(p => new[] { p.DirtySince, p.WritingSince }).Where(t => t != 0).DefaultIfEmpty(
                    0).Min();
                return since == 0 ? TimeSpan.Zero : _time.GetElapsedTime(since);
            }
        }
    }

    /// <summary>Bytes of states that wait for the disk, or are being written.</summary>
    public long BytesWaiting
    {
        get
        {
            lock (_gate)
                return _parts.Values.Where(p => p.DirtySince != 0 || p.WritingSince != 0).Sum(p => p.Bytes);
        }
    }

    /// <summary>An attempt begins with these rows of earlier ones, which its file will hold too.</summary>
    public void Open(PartAttempt attempt, IEnumerable<SampleCheckpoint> rows)
    {
        lock (_gate)
        {
            var part = _parts[attempt] = new(attempt);
            foreach (var row in rows)
                part.Rows[row.Sample] = row;
        }
    }

    /// <summary>
    /// Takes the newest state of a row, which is written soon. The state must not change afterwards. An attempt that is over is
    /// passed over.
    /// </summary>
    /// <exception cref="StoreException">Writing failed before, and is not tried again.</exception>
    public void Put(PartAttempt attempt, SampleCheckpoint row)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            if (!_parts.TryGetValue(attempt, out var part) || part.Ended || part.Left)
                return;
            part.Rows[row.Sample] = row;
            part.Put++;
            Enqueue(part);
        }
    }

    /// <summary>Returns when what was put of a part is on disk.</summary>
    /// <exception cref="StoreException">Writing failed, and is not tried again.</exception>
    public Task FlushAsync(PartAttempt attempt, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            return _parts.TryGetValue(attempt, out var part) ? part.WhenWritten().WaitAsync(cancellationToken) : Task.CompletedTask;
        }
    }

    /// <summary>Returns when everything that was put is on disk.</summary>
    /// <exception cref="StoreException">Writing failed, and is not tried again.</exception>
    public Task FlushAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            return Task.WhenAll(_parts.Values.Select(p => p.WhenWritten())).WaitAsync(cancellationToken);
        }
    }

    /// <summary>Of what earlier attempts left, the furthest state of each row. What cannot be read is passed over.</summary>
    /// <param name="rowBytes">Bytes of a row of the stage's state.</param>
    /// <exception cref="StoreException">The place failed.</exception>
    public async Task<IReadOnlyDictionary<int, SampleCheckpoint>> ReadAsync(
        IEnumerable<PartAttempt> attempts, RowRange rows, int rowBytes, CancellationToken cancellationToken)
    {
        var furthest = new Dictionary<int, SampleCheckpoint>();
        var most = (int)Math.Min(int.MaxValue, CheckpointFile.Size(CellGrid.Rows, rowBytes));
        foreach (var attempt in attempts)
        {
            foreach (var row in await ReadAsync(attempt, most, rowBytes, cancellationToken))
            {
                if (rows.Contains(new(row.Sample, row.Sample + 1))
                    && (!furthest.TryGetValue(row.Sample, out var known) || known.NextStep < row.NextStep))
                    furthest[row.Sample] = row;
            }
        }
        return furthest;
    }

    /// <summary>
    /// The step with which each row of an attempt goes on, without the states; empty when it left nothing. On a thread of the pool.
    /// </summary>
    /// <exception cref="StoreException">The place failed.</exception>
    public Task<IReadOnlyDictionary<int, int>> ReadStepsAsync(PartAttempt attempt, CancellationToken cancellationToken) =>
        Task.Factory.StartNew(
            () =>
            {
                using var file = _objects.Open(StoreNames.Checkpoint(attempt));
                return file is null ? new Dictionary<int, int>() : CheckpointFile.Steps(file);
            },
            cancellationToken, TaskCreationOptions.DenyChildAttach, _background);

    /// <summary>An attempt is over without having published: its file stays for the next one.</summary>
    public void Leave(PartAttempt attempt)
    {
        lock (_gate)
        {
            if (!_parts.TryGetValue(attempt, out var part))
                return;
            part.Left = true;
            if (part is { DirtySince: 0, Busy: false })
                _parts.Remove(attempt);
        }
    }

    /// <summary>A part is over, or an earlier attempt of no more use: its file goes.</summary>
    public void Forget(PartAttempt attempt)
    {
        lock (_gate)
        {
            // An attempt of another process is known by its name alone.
            if (!_parts.TryGetValue(attempt, out var part))
                _parts[attempt] = part = new(attempt) { IsThere = true };
            if (part.Ended)
                return;
            part.Ended = true;
            Enqueue(part);
        }
    }

    /// <summary>Writes what waits.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_dirty.Writer.TryComplete())
            await _closing.CancelAsync();
        await _writers;
        _closing.Dispose();
    }

    async Task<IReadOnlyList<SampleCheckpoint>> ReadAsync(
        PartAttempt attempt, int mostBytes, int rowBytes, CancellationToken cancellationToken)
    {
        try
        {
            return await _objects.ReadAsync(StoreNames.Checkpoint(attempt), mostBytes, cancellationToken) is { } file
                ? CheckpointFile.Decode(file, rowBytes)
                : [];
        }
        catch (ObjectTooLargeException)
        {
            return [];
        }
    }

    /// <summary>Under the gate. A part is in the queue once, however often it is put.</summary>
    void Enqueue(Part part)
    {
        if (part.DirtySince == 0)
        {
            part.DirtySince = _time.GetTimestamp();
            part.Waiting = part.Bytes;
            StoreInstruments.CheckpointQueue.Add(part.Waiting);
        }
        if (!part.Queued && !part.Busy)
            part.Queued = _dirty.Writer.TryWrite(part);
    }

    async Task WriteAsync()
    {
        // Not ReadAllAsync, which goes on wherever the queue was written.
        while (await _dirty.Reader.WaitToReadAsync())
        {
            while (_dirty.Reader.TryRead(out var part))
            {
                // Once more where the queue is closed already, so that the last state is on disk too.
                while (await WriteAsync(part))
                {
                }
            }
        }
    }

    /// <returns>True when more was put meanwhile, and nobody else will write it.</returns>
    async Task<bool> WriteAsync(Part part)
    {
        long put;
        bool ended;
        SampleCheckpoint[] rows;
        lock (_gate)
        {
            (part.Queued, part.Busy) = (false, true);
            (put, ended) = (part.Put, part.Ended);
            rows = ended ? [] : [.. part.Rows.Values];
            (part.WritingSince, part.DirtySince) = (part.DirtySince, 0);
            StoreInstruments.CheckpointQueue.Add(-part.Waiting);
        }
        var failure = _failure ?? await TryWriteAsync(part, rows, ended);
        lock (_gate)
        {
            (part.Busy, part.WritingSince) = (false, 0);
            if (failure is not null)
                part.Fail(failure);
            else
                part.Written(put);
            if (ended)
            {
                _parts.Remove(part.Attempt);
                part.Written(long.MaxValue);
            }
            else if (part.DirtySince != 0 && failure is null)
                return !(part.Queued = _dirty.Writer.TryWrite(part));
            else if (part.Left)
                _parts.Remove(part.Attempt);
            return false;
        }
    }

    async Task<StoreException?> TryWriteAsync(Part part, SampleCheckpoint[] rows, bool ended)
    {
        while (true)
        {
            try
            {
                if (ended)
                {
                    if (part.IsThere)
                        await _objects.DeleteAsync(StoreNames.Checkpoint(part.Attempt), CancellationToken.None);
                    return null;
                }
                var started = Stopwatch.GetTimestamp();
                var file = CheckpointFile.Encode(rows);
                await _objects.ReplaceAsync(StoreNames.Checkpoint(part.Attempt), file, CancellationToken.None);
                part.IsThere = true;
                StoreInstruments.CheckpointBytes.Add(file.Length);
                StoreInstruments.CheckpointDuration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds);
                return null;
            }
            catch (Exception exception)
            {
                if (ended)
                    return null;
                var failure = exception as StoreException ?? DiskErrors.Wrap(exception, "write checkpoints to", _objects.Place);
                Failed?.Invoke(failure);
                if (!_goesOnAfterFaults)
                    return _failure = failure;
                try
                {
                    await Task.Delay(_options.RetryAfter, _time, _closing.Token);
                }
                catch (OperationCanceledException)
                {
                    return failure;
                }
            }
        }
    }

    /// <summary>Under the gate: whoever passes is among those that a failure wakes.</summary>
    void ThrowIfFailed()
    {
        if (_failure is { } failure)
            throw new StoreException(failure.Message, failure) { DiskFull = failure.DiskFull };
    }

    /// <summary>An attempt's rows. Everything under the gate, but for <see cref="IsThere"/>, which its one writer uses.</summary>
    sealed class Part(PartAttempt attempt)
    {
        readonly List<(long Put, TaskCompletionSource Done)> _waiting = [];
        long _written;

        public PartAttempt Attempt => attempt;

        public SortedDictionary<int, SampleCheckpoint> Rows { get; } = [];

        /// <summary>How many states were put.</summary>
        public long Put { get; set; }

        /// <summary>When it began to wait for the disk; 0 when it does not.</summary>
        public long DirtySince { get; set; }

        public long Waiting { get; set; }

        public bool Queued { get; set; }

        public bool Busy { get; set; }

        /// <summary>When the write under way began to wait; 0 when none is.</summary>
        public long WritingSince { get; set; }

        public bool Ended { get; set; }

        public bool Left { get; set; }

        /// <summary>Whether it may have a file.</summary>
        public bool IsThere { get; set; }

        public long Bytes => Rows.Values.Sum(r => (long)r.State.Length);

        public Task WhenWritten()
        {
            if (_written >= Put || Ended)
                return Task.CompletedTask;
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Add((Put, done));
            return done.Task;
        }

        public void Written(long put)
        {
            _written = Math.Max(_written, put);
            foreach (var (_, done) in _waiting.Where(w => w.Put <= put))
                done.TrySetResult();
            _waiting.RemoveAll(w => w.Put <= put);
        }

        public void Fail(StoreException failure)
        {
            foreach (var (_, done) in _waiting)
                done.TrySetException(failure);
            _waiting.Clear();
        }
    }
}

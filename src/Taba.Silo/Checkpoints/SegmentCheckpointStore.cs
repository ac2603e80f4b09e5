using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Taba.Silo.Storage;

namespace Taba.Silo.Checkpoints;

/// <summary>
/// Checkpoints in append-only segment files, written behind by one thread: it takes what waits, appends it, makes it durable
/// with one flush, and only then points the index at it. One store owns its segments; silos that share a store have an area
/// each. docs/design/storage.md has the format.
/// </summary>
public sealed partial class SegmentCheckpointStore : ICheckpointStore
{
    /// <summary>A drain ends here even when more waits, so that a burst becomes durable piece by piece.</summary>
    const long DrainBytes = 4L << 20;

    readonly BlockingCollection<Entry> _queue = [];
    readonly CheckpointIndex _index = new();
    readonly List<SegmentFile> _segments = [];
    readonly ByteBudget _budget;
    readonly SegmentWriter _writer;
    readonly ForgottenLog? _forgotten;
    readonly ISegmentArea _area;
    readonly CheckpointOptions _options;
    readonly TimeProvider _time;
    readonly Thread _thread;
    readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    volatile StoreException? _failure;
    // The time of the oldest record that is not on disk; 0 when all are.
    long _waitingSince;

    /// <summary>Opens the folder <c>checkpoints</c> and finds what earlier runs left there.</summary>
    /// <param name="root">The store's folder, <c>.taba</c>.</param>
    /// <param name="options">Sizes; the defaults when null.</param>
    /// <param name="time">For the names of files; the system's clock when null.</param>
    /// <exception cref="StoreException">The folder cannot be read.</exception>
    public SegmentCheckpointStore(string root, CheckpointOptions? options = null, TimeProvider? time = null)
        : this(new FolderSegmentArea(FolderOf(root)), new(FolderOf(root)), null, options ?? new(), time ?? TimeProvider.System)
    {
    }

    /// <param name="forgotten">Null when no later process opens the same area.</param>
    /// <param name="shared">Where others have areas; null when nobody else uses the store.</param>
    SegmentCheckpointStore(ISegmentArea area, ForgottenLog? forgotten, ISegmentPlace? shared, CheckpointOptions options, TimeProvider time)
    {
        (_area, _forgotten, _options, _time) = (area, forgotten, options, time);
        (_place, _left) = (shared, shared is null ? null : new(shared));
        _budget = new(options.QueueBytes);
        try
        {
            if (forgotten is not null)
                DurableFile.CreateDirectory(area.Where);
            _writer = new(area, options.SegmentBytes, time, LastTicks(Restore()));
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw DiskErrors.Wrap(exception, "read", area.Where);
        }
        _thread = new(Run) { Name = "taba checkpoints", IsBackground = true };
        _thread.Start();
    }

    /// <summary>How long the oldest record has waited for the disk; zero when none does.</summary>
    public TimeSpan OldestWaiting =>
        Interlocked.Read(ref _waitingSince) is var since and not 0 ? _time.GetElapsedTime(since) : TimeSpan.Zero;

    /// <summary>The writer failed, once and for good; raised on its thread. The work goes on only when a new process starts.</summary>
    public event Action<Exception>? Failed;

    /// <summary>
    /// Forgets the samples that a process published and did not live to forget. Records of a row whose result is published while
    /// something else is still to be kept of it stay.
    /// </summary>
    public async Task ForgetPublishedAsync(ITensorStore store, CancellationToken cancellationToken)
    {
        foreach (var (stageKey, rows) in await PublishedAsync(_index, store, cancellationToken))
            Forget(stageKey, rows);
    }

    /// <exception cref="StoreException">The writer failed, now or before.</exception>
    public ValueTask PutAsync(CheckpointRecord record, CancellationToken cancellationToken) =>
        PutAsync(record, startsAnew: false, cancellationToken);

    async ValueTask PutAsync(CheckpointRecord record, bool startsAnew, CancellationToken cancellationToken)
    {
        ThrowIfFailed();
        var size = SegmentFormat.Size(record);
        await _budget.TakeAsync(size, cancellationToken);
        CheckpointInstruments.Queue.Add(size);
        Interlocked.CompareExchange(ref _waitingSince, _time.GetTimestamp(), 0);
        try
        {
            ThrowIfFailed();
            _index.Add(record, startsAnew, link => Enqueue(new() { Link = link, Bytes = size }));
        }
        catch
        {
            Return(size);
            throw;
        }
    }

    public Checkpoint? Find(string stageKey, int sample)
    {
        if (_index.Hold(stageKey, sample) is not var (keepDigest, sources))
            return null;
        var readable = 0;
        Checkpoint? found = null;
        try
        {
            var captures = new Dictionary<(int Step, TensorKinds Kind), CapturedRow>();
            foreach (var source in sources)
            {
                var record = source.Pending ?? source.Segment!.Read(source.Offset, source.Size)?.Record;
                if (record is null || record.StageKey != stageKey || record.Sample != sample)
                    break;
                readable++;
                foreach (var capture in record.Captures)
                    captures[(capture.Step, capture.Kind)] = capture;
                found = new(keepDigest, record.NextStep, record.Evaluations, record.State, []);
            }
            return found is null ? null : found with { Captures = [.. captures.Values.OrderBy(c => c.Step).ThenBy(c => c.Kind)] };
        }
        finally
        {
            if (_index.Release(stageKey, sample, sources, readable))
                TryEnqueue(new());
        }
    }

    public void Forget(string stageKey, RowRange rows)
    {
        // The order of the queue tells the writer which records are meant: those before, not those to come.
        _index.Forget(stageKey, rows, () => TryEnqueue(new() { Forgotten = (stageKey, rows) }));
    }

    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        ThrowIfFailed();
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(new() { Done = flushed });
        await flushed.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Writes what waits and closes the files.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.CompleteAdding();
        _closing.Set();
        await _stopped.Task;
    }

    void Run()
    {
        var batch = new List<Entry>();
        foreach (var first in _queue.GetConsumingEnumerable())
        {
            batch.Clear();
            batch.Add(first);
            var bytes = first.Bytes;
            var taken = _time.GetTimestamp();
            while (bytes < DrainBytes && _queue.TryTake(out var next))
            {
                batch.Add(next);
                bytes += next.Bytes;
            }
            // A record that came while the last ones were written did not set it.
            Interlocked.CompareExchange(ref _waitingSince, taken, 0);
            if (_failure is null)
                TryDrain(batch);
            foreach (var entry in batch)
            {
                if (entry.Link is not null)
                    Return(entry.Bytes);
                if (_failure is { } failure)
                    entry.Done?.TrySetException(failure);
                else
                    entry.Done?.TrySetResult();
            }
            // What is left came after these were taken.
            Interlocked.Exchange(ref _waitingSince, _queue.Count == 0 ? 0 : taken);
        }
        if (_writer.End() is { } last)
            _index.Finished(last);
        TryDeleteUnneeded();
        _stopped.SetResult();
    }

    void TryDrain(List<Entry> batch)
    {
        try
        {
            Drain(batch);
        }
        catch (Exception exception)
        {
            var failure = DiskErrors.Wrap(exception, "write checkpoints to", _area.Where);
            _failure = _place is null ? failure : TryUntilItWorks(batch, failure);
            if (_failure is not null)
                Failed?.Invoke(_failure);
        }
    }

    void Drain(List<Entry> batch)
    {
        var started = Stopwatch.GetTimestamp();
        var written = new List<(CheckpointLink Link, SegmentFile Segment, long Offset, int Size)>();
        foreach (var entry in batch)
        {
            if (entry.Forgotten is { } forgotten)
                WriteDown(forgotten.StageKey, forgotten.Rows);
            if (entry.Link is not { } link || !_index.IsWanted(link))
                continue;
            if (_writer.IsFull || written.Count == 0 && WasClearedAway())
                Roll();
            var segment = _writer.Current ?? Begin();
            var (offset, size) = _writer.Append(SegmentFormat.Encode(link.Pending!, link.EarlierCaptures));
            written.Add((link, segment, offset, size));
        }
        if (written.Count > 0)
        {
            _writer.Flush();
            foreach (var (link, segment, offset, size) in written)
                _index.Written(link, segment, offset, size);
            CheckpointInstruments.Bytes.Add(written.Sum(w => (long)w.Size));
            CheckpointInstruments.Duration.Record(Stopwatch.GetElapsedTime(started).TotalSeconds);
        }
        // In a shared store nobody waits for room to be freed: the next drain tries again.
        if (_place is null)
            DeleteUnneeded();
        else
            TryDeleteUnneeded();
    }

    SegmentFile Begin()
    {
        var segment = _writer.Begin();
        _segments.Add(segment);
        return segment;
    }

    void Roll()
    {
        _writer.Flush();
        if (_writer.End() is { } ended)
            _index.Finished(ended);
    }

    /// <summary>Replays what earlier runs wrote and forgot, in their order, and deletes the files that nothing needs.</summary>
    string[] Restore()
    {
        var names = _area.List().Select(e => e.Name).ToArray();
        var lines = _forgotten?.Read() ?? [];
        var forgotten = new Queue<Forgotten>(lines.OrderBy(f => f.Before));
        foreach (var name in names)
        {
            var segment = new SegmentFile(_area, name);
            _segments.Add(segment);
            foreach (var (offset, size, decoded) in segment.Scan())
            {
                while (forgotten.TryPeek(out var next) && next.Before.CompareTo(new(segment.Name, offset)) <= 0)
                    ForgetAgain(forgotten.Dequeue());
                _index.Restore(decoded, segment, offset, size);
            }
        }
        foreach (var rest in forgotten)
            ForgetAgain(rest);
        DeleteUnneeded();
        var oldest = _segments.FirstOrDefault()?.Name;
        var needed = lines.RemoveAll(f => oldest is null || string.CompareOrdinal(f.Before.Segment, oldest) < 0);
        if (needed.Length < lines.Length || needed.IsEmpty)
            _forgotten?.Rewrite(needed);
        return names;
    }

    void ForgetAgain(Forgotten forgotten) => _index.Forget(forgotten.StageKey, forgotten.Rows, () => { });

    void WriteDown(string stageKey, RowRange rows)
    {
        if (_segments.Count > 0)
            _forgotten?.Append(new(stageKey, rows, _writer.Position ?? new(_segments[^1].Name, long.MaxValue)));
    }

    static string FolderOf(string root) => Path.Combine(Path.GetFullPath(root), "checkpoints");

    static long LastTicks(IEnumerable<string> names) => names
        .Select(n => long.TryParse(n.Split('-')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) ? ticks : 0)
        .DefaultIfEmpty(0)
        .Max();

    /// <summary>Between drains: within one, a file's records do not count yet.</summary>
    void DeleteUnneeded()
    {
        foreach (var segment in _index.Unneeded(_segments))
        {
            _area.Delete(segment.Name);
            _segments.Remove(segment);
        }
    }

    void TryDeleteUnneeded()
    {
        try
        {
            DeleteUnneeded();
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception) || exception is StoreException)
        {
            // The rest is deleted the next time, or by another silo.
        }
    }

    void Enqueue(Entry entry)
    {
        if (!TryEnqueue(entry))
            throw new ObjectDisposedException(nameof(SegmentCheckpointStore), "The checkpoint store is closed.");
    }

    /// <summary>False when the store is closing: its last act is to delete what nothing needs.</summary>
    bool TryEnqueue(Entry entry)
    {
        try
        {
            _queue.Add(entry);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    void Return(long bytes)
    {
        _budget.Return(bytes);
        CheckpointInstruments.Queue.Add(-bytes);
    }

    void ThrowIfFailed()
    {
        if (_failure is { } failure)
            throw new StoreException(failure.Message, failure) { DiskFull = failure.DiskFull };
    }

    /// <summary>An order to the writer; an empty one has it look for files that nothing needs.</summary>
    readonly record struct Entry
    {
        /// <summary>A record to write.</summary>
        public CheckpointLink? Link { get; init; }

        /// <summary>Bytes of that record.</summary>
        public long Bytes { get; init; }

        /// <summary>Rows whose records so far are not wanted any more.</summary>
        public (string StageKey, RowRange Rows)? Forgotten { get; init; }

        /// <summary>Completed when everything before it is on disk.</summary>
        public TaskCompletionSource? Done { get; init; }
    }
}

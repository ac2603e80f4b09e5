using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Storage;

namespace Taba.Silo.Checkpoints;

/// <summary>
/// Checkpoints in append-only segment files, written behind by one thread: it takes what waits, appends it, makes it durable
/// with one flush, and only then points the index at it. One store owns a folder; silos that share a disk have one each.
/// docs/design/storage.md has the format.
/// </summary>
public sealed class SegmentCheckpointStore : ICheckpointStore
{
    /// <summary>A drain ends here even when more waits, so that a burst becomes durable piece by piece.</summary>
    const long DrainBytes = 16L << 20;

    readonly BlockingCollection<Entry> _queue = [];
    readonly CheckpointIndex _index = new();
    readonly List<SegmentFile> _segments = [];
    readonly ByteBudget _budget;
    readonly SegmentWriter _writer;
    readonly string _folder;
    readonly Thread _thread;
    readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    volatile StoreException? _failure;

    /// <summary>Opens the folder <c>checkpoints</c> and finds what earlier runs left there.</summary>
    /// <param name="root">The store's folder, <c>.taba</c>.</param>
    /// <param name="options">Sizes; the defaults when null.</param>
    /// <param name="time">For the names of files; the system's clock when null.</param>
    /// <exception cref="StoreException">The folder cannot be read.</exception>
    public SegmentCheckpointStore(string root, CheckpointOptions? options = null, TimeProvider? time = null)
    {
        options ??= new();
        _folder = Path.Combine(Path.GetFullPath(root), "checkpoints");
        _budget = new(options.QueueBytes);
        try
        {
            DurableFile.CreateDirectory(_folder);
            var lastTicks = 0L;
            foreach (var path in Directory.EnumerateFiles(_folder, "*.seg").Order(StringComparer.Ordinal))
            {
                Restore(path);
                if (long.TryParse(Path.GetFileName(path).Split('-')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks))
                    lastTicks = Math.Max(lastTicks, ticks);
            }
            _writer = new(_folder, options.SegmentBytes, time ?? TimeProvider.System, lastTicks);
            DeleteUnneeded();
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            throw DiskErrors.Wrap(exception, "read", _folder);
        }
        _thread = new(Run) { Name = "taba checkpoints", IsBackground = true };
        _thread.Start();
    }

    /// <summary>The writer failed, once and for good; raised on its thread. The work goes on only when a new process starts.</summary>
    public event Action<Exception>? Failed;

    /// <summary>
    /// The samples that have a checkpoint, by stage key: after a start, those that the tensor store meanwhile has published
    /// are to be forgotten.
    /// </summary>
    public IReadOnlyDictionary<string, RowSet> Held() => _index.Held();

    /// <exception cref="StoreException">The writer failed, now or before.</exception>
    public async ValueTask PutAsync(CheckpointRecord record, CancellationToken cancellationToken)
    {
        ThrowIfFailed();
        var size = SegmentFormat.Size(record);
        await _budget.TakeAsync(size, cancellationToken);
        CheckpointInstruments.Queue.Add(size);
        try
        {
            ThrowIfFailed();
            _index.Add(record, link => Enqueue(new(link, size, null)));
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
            _index.Release(stageKey, sample, sources, readable);
            Sweep();
        }
    }

    public void Forget(string stageKey, RowRange rows)
    {
        _index.Forget(stageKey, rows);
        Sweep();
    }

    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        ThrowIfFailed();
        var flushed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(new(null, 0, flushed));
        await flushed.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Writes what waits and closes the files.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.CompleteAdding();
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
            while (bytes < DrainBytes && _queue.TryTake(out var next))
            {
                batch.Add(next);
                bytes += next.Bytes;
            }
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
            _failure = DiskErrors.Wrap(exception, "write checkpoints to", _folder);
            Failed?.Invoke(_failure);
        }
    }

    void Drain(List<Entry> batch)
    {
        var started = Stopwatch.GetTimestamp();
        var written = new List<(CheckpointLink Link, SegmentFile Segment, long Offset, int Size)>();
        foreach (var entry in batch)
        {
            if (entry.Link is not { } link || !_index.IsWanted(link))
                continue;
            if (_writer.IsFull)
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
        DeleteUnneeded();
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

    void Restore(string path)
    {
        var segment = new SegmentFile(path);
        _segments.Add(segment);
        foreach (var (offset, size, decoded) in SegmentFile.Scan(path))
            _index.Restore(decoded, segment, offset, size);
    }

    void DeleteUnneeded()
    {
        foreach (var segment in _index.Unneeded(_segments))
        {
            File.Delete(segment.Path);
            _segments.Remove(segment);
        }
    }

    void TryDeleteUnneeded()
    {
        try
        {
            DeleteUnneeded();
        }
        catch (Exception exception) when (DiskErrors.IsDisk(exception))
        {
            // The next start deletes what this end could not.
        }
    }

    /// <summary>Has the writer's thread look for files that nothing needs.</summary>
    void Sweep()
    {
        try
        {
            Enqueue(new(null, 0, null));
        }
        catch (ObjectDisposedException)
        {
            // Closing: the writer sweeps as its last act.
        }
    }

    void Enqueue(Entry entry)
    {
        try
        {
            _queue.Add(entry);
        }
        catch (InvalidOperationException exception)
        {
            throw new ObjectDisposedException("The checkpoint store is closed.", exception);
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

    /// <param name="Link">A record to write, or null for an order to the writer.</param>
    /// <param name="Done">Completed when everything before it is on disk.</param>
    readonly record struct Entry(CheckpointLink? Link, long Bytes, TaskCompletionSource? Done);
}

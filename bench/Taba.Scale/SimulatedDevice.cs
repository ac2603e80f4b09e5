using System.Diagnostics;

namespace Taba.Scale;

/// <summary>
/// A device that does nothing but take time: a pass of at most <paramref name="batch"/> rows takes <paramref name="passTime"/>, whatever
/// they are. A thread of its own, as an engine has.
/// </summary>
sealed class SimulatedDevice : IDisposable
{
    readonly int _batch;
    readonly TimeSpan _passTime;
    readonly Action<SimulatedRow> _segmentEnded;
    readonly Queue<SimulatedRow> _ready = new();
    readonly Lock _gate = new();
    readonly SemaphoreSlim _arrived = new(0);
    readonly Thread _thread;
    readonly CancellationTokenSource _stop = new();
    long _passes;
    long _rowSteps;

    public SimulatedDevice(string name, int batch, TimeSpan passTime, Action<SimulatedRow> segmentEnded)
    {
        (_batch, _passTime, _segmentEnded) = (batch, passTime, segmentEnded);
        _thread = new(Run) { IsBackground = true, Name = name };
        _thread.Start();
    }

    public long Passes => Volatile.Read(ref _passes);

    /// <summary>Rows times steps that were made.</summary>
    public long RowSteps => Volatile.Read(ref _rowSteps);

    /// <summary>Rows that wait or run.</summary>
    public int Load { get; private set; }

    public void Enqueue(SimulatedRow row)
    {
        lock (_gate)
        {
            _ready.Enqueue(row);
            Load++;
        }
        _arrived.Release();
    }

    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        _stop.Dispose();
        _arrived.Dispose();
    }

    void Run()
    {
        var rows = new List<SimulatedRow>(_batch);
        var ended = new List<SimulatedRow>(_batch);
        var due = Stopwatch.GetTimestamp();
        while (!_stop.IsCancellationRequested)
        {
            rows.Clear();
            lock (_gate)
            {
                while (rows.Count < _batch && _ready.TryDequeue(out var row))
                {
                    if (row.Closed)
                        Load--;
                    else
                        rows.Add(row);
                }
            }
            if (rows.Count == 0)
            {
                _arrived.Wait(TimeSpan.FromMilliseconds(20));
                due = Stopwatch.GetTimestamp();
                continue;
            }
            // Passes follow each other without a gap, as kernels do that were enqueued ahead.
            due += (long)(_passTime.TotalSeconds * Stopwatch.Frequency);
            var left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
            if (left > TimeSpan.Zero)
                Thread.Sleep(left);
            else if (left < -_passTime)
                due = Stopwatch.GetTimestamp();
            Volatile.Write(ref _passes, _passes + 1);
            Volatile.Write(ref _rowSteps, _rowSteps + rows.Count);
            ended.Clear();
            lock (_gate)
            {
                foreach (var row in rows)
                {
                    if (--row.StepsLeft > 0)
                        _ready.Enqueue(row);
                    else
                    {
                        Load--;
                        ended.Add(row);
                    }
                }
            }
            foreach (var row in ended)
                _segmentEnded(row);
        }
    }
}

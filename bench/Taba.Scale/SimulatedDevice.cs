using System.Diagnostics;

namespace Taba.Scale;

/// <summary>
/// A device that does nothing but take time: a pass of at most <paramref name="batch"/> rows takes <paramref name="passTime"/>, whatever
/// they are. Twice as many rows as a pass has take turns in its slots, as in an engine; the others wait. A thread of its own, as an
/// engine has.
/// </summary>
sealed class SimulatedDevice : IDisposable
{
    readonly int _batch;
    readonly TimeSpan _passTime;
    readonly Action<SimulatedRow> _segmentEnded;
    readonly Queue<SimulatedRow> _inSlots = new();
    readonly Queue<SimulatedRow> _waiting = new();
    readonly Lock _gate = new();
    readonly AutoResetEvent _arrived = new(false);
    readonly Thread _thread;
    readonly CancellationTokenSource _stop = new();
    int _slotsTaken;
    int _load;
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
    public int Load => Volatile.Read(ref _load);

    public void Enqueue(SimulatedRow row)
    {
        lock (_gate)
        {
            _load++;
            _waiting.Enqueue(row);
        }
        _arrived.Set();
    }

    public void Dispose()
    {
        _stop.Cancel();
        _arrived.Set();
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
            Gather(rows);
            if (rows.Count == 0)
            {
                _arrived.WaitOne();
                due = Stopwatch.GetTimestamp();
                continue;
            }
            // Passes follow each other without a gap, as kernels do that were enqueued ahead.
            due += (long)(_passTime.TotalSeconds * Stopwatch.Frequency);
            var left = Stopwatch.GetElapsedTime(Stopwatch.GetTimestamp(), due);
            if (left > TimeSpan.Zero)
                _stop.Token.WaitHandle.WaitOne(left);
            else if (left < -_passTime)
                due = Stopwatch.GetTimestamp();
            Volatile.Write(ref _passes, _passes + 1);
            Volatile.Write(ref _rowSteps, _rowSteps + rows.Count);
            EndPass(rows, ended);
            foreach (var row in ended)
                _segmentEnded(row);
        }
    }

    /// <summary>The rows of the next pass: those whose turn is longest ago.</summary>
    void Gather(List<SimulatedRow> rows)
    {
        rows.Clear();
        lock (_gate)
        {
            while (_slotsTaken < 2 * _batch && _waiting.TryDequeue(out var next))
            {
                _slotsTaken++;
                _inSlots.Enqueue(next);
            }
            while (rows.Count < _batch && _inSlots.TryDequeue(out var row))
            {
                if (row.Closed)
                    Leave();
                else
                    rows.Add(row);
            }
        }
    }

    void EndPass(List<SimulatedRow> rows, List<SimulatedRow> ended)
    {
        ended.Clear();
        lock (_gate)
        {
            foreach (var row in rows)
            {
                if (--row.StepsLeft > 0)
                    _inSlots.Enqueue(row);
                else
                {
                    Leave();
                    ended.Add(row);
                }
            }
        }
    }

    void Leave()
    {
        _slotsTaken--;
        _load--;
    }
}

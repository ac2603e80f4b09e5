using System.Diagnostics;

namespace Taba.Diffusion.Engine;

/// <summary>One turn of the engine: every ready swap row, and one forward pass.</summary>
sealed class Turn(
    BatchPlanner planner, SlotTable slots, PassRunner passes, FaultIsolation faults, Outcomes outcomes, EngineTelemetry telemetry,
    EngineOptions options)
{
    readonly List<Trajectory> _network = [];
    readonly List<Trajectory> _swappedEps = [];
    readonly List<Trajectory> _swappedXt = [];

    /// <summary>The time that a forward pass which is short of rows waits for more.</summary>
    public TimeSpan Linger { get; private set; } = options.Linger;

    /// <inheritdoc cref="BatchPlanner.IsShort"/>
    public bool IsShort => planner.IsShort(slots.Active);

    /// <summary>Moves every trajectory that is ready by one step, as far as one forward pass reaches.</summary>
    /// <returns>False when nothing was ready.</returns>
    public bool Run()
    {
        var started = Stopwatch.GetTimestamp();
        planner.Pick(slots.Active, _network, _swappedEps, _swappedXt);
        if (_network.Count + _swappedEps.Count + _swappedXt.Count == 0)
            return false;

        var times = new TurnTimes();
        Swap(_swappedEps, Pass.SwapEps, ref times);
        Swap(_swappedXt, Pass.SwapXt, ref times);
        Resolve(_network);
        if (_network.Count > 0 && Execute(_network, Pass.Network, planner.Bucket(BatchPlanner.RowsOf(_network)), ref times))
        {
            var share = Stopwatch.GetElapsedTime(0, times.Network).TotalSeconds * options.LingerShare;
            Linger = TimeSpan.FromSeconds(Math.Min(share, options.Linger.TotalSeconds));
        }
        times.Total = Stopwatch.GetTimestamp() - started;
        telemetry.Turned(times);
        return true;
    }

    void Swap(List<Trajectory> rows, Pass pass, ref TurnTimes times)
    {
        Resolve(rows);
        // As many at a time as a forward pass may have: what a turn holds in tensors does not grow with the slots.
        for (var start = 0; start < rows.Count; start += options.LargestBatch)
        {
            var chunk = rows.GetRange(start, Math.Min(options.LargestBatch, rows.Count - start));
            Execute(chunk, pass, chunk.Count, ref times);
        }
    }

    /// <summary>Fails and removes those whose schedule or caller cannot say what the step is.</summary>
    void Resolve(List<Trajectory> rows)
    {
        for (var i = rows.Count - 1; i >= 0; i--)
        {
            try
            {
                rows[i].Resolve();
            }
            catch (Exception error)
            {
                outcomes.Fail(rows[i], rows[i].NextStep, error);
                rows.RemoveAt(i);
            }
        }
    }

    bool Execute(List<Trajectory> rows, Pass pass, int shape, ref TurnTimes times)
    {
        if (passes.TryRun(rows, pass, shape, ref times) is not { } error)
            return true;
        faults.Isolate(rows, pass, shape, error, ref times);
        return false;
    }
}

using System.Diagnostics;

namespace Taba.Diffusion.Engine;

/// <summary>Runs single passes, says which one is under way, and settles their rows.</summary>
sealed class PassRunner(TurnExecutor executor, DeviceTurn device, Outcomes outcomes, EngineTelemetry telemetry)
{
    volatile EnginePass? _underWay;

    /// <summary>The pass that the engine's thread is in; null between passes. Any thread.</summary>
    public EnginePass? UnderWay => _underWay;

    /// <summary>Moves <paramref name="rows"/> by one step.</summary>
    /// <param name="rows">Resolved for that step.</param>
    /// <param name="pass">What gives the prediction.</param>
    /// <param name="shape">Rows of the forward pass, padding included.</param>
    /// <param name="times">Of the turn.</param>
    /// <returns>What was thrown; the rows are then where they were. Null when nothing was.</returns>
    public Exception? TryRun(List<Trajectory> rows, Pass pass, int shape, ref TurnTimes times)
    {
        var output = new OutputBatch();
        device.Enter();
        var began = Stopwatch.GetTimestamp();
        _underWay = new EnginePass(began, shape, rows[0].NextStep, rows[0].Tag);
        try
        {
            executor.Execute(pass, rows, shape, output);
            times.Network += executor.NetworkTicks;
        }
        catch (Exception error)
        {
            output.DisposeTensors();
            return error;
        }
        finally
        {
            _underWay = null;
            // Before results are handed over, which may have to wait.
            if (pass == Pass.Network)
                device.Leave();
        }
        var passed = BatchPlanner.RowsOf(rows);
        telemetry.Passed(pass, pass == Pass.Network ? passed : rows.Count, shape, executor.NetworkTicks);
        var took = Stopwatch.GetTimestamp() - began;
        foreach (var row in rows)
            row.Charge(took * row.NetworkRows / passed);
        for (var i = 0; i < rows.Count; i++)
            outcomes.Settle(rows[i], i, pass, output);
        times.OutputWait += outcomes.Post(output);
        return null;
    }

    /// <summary>Runs the network on zeros, at the step of a row and under its conditions.</summary>
    /// <param name="like">The row.</param>
    /// <param name="shape">Rows of the forward pass.</param>
    /// <returns>What was thrown, unless the device is broken; null when the network works.</returns>
    public Exception? TryProbe(Trajectory like, int shape)
    {
        device.Enter();
        _underWay = new EnginePass(Stopwatch.GetTimestamp(), like.NetworkRows, like.NextStep, like.Tag);
        try
        {
            executor.Probe(like, shape);
            return null;
        }
        catch (Exception error) when (!DeviceFaults.IsSticky(error))
        {
            return error;
        }
        finally
        {
            _underWay = null;
            device.Leave();
        }
    }
}

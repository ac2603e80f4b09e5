namespace Taba.Diffusion.Engine;

/// <summary>
/// Finds out whose fault it is that a pass threw. The state is as it was before the pass, so the same rows can be tried again: with
/// fewer of them for want of memory, in halves to find the one that makes the network throw.
/// </summary>
sealed class FaultIsolation(PassRunner passes, BatchPlanner planner, Outcomes outcomes, EngineTelemetry telemetry, EngineOptions options)
{
    /// <summary>Moves on the rows that can be moved, and fails the others.</summary>
    /// <param name="rows">The rows of the pass that threw.</param>
    /// <param name="pass">What gives the prediction.</param>
    /// <param name="shape">Rows of the forward pass, padding included.</param>
    /// <param name="error">What was thrown.</param>
    /// <param name="times">Of the turn.</param>
    /// <exception cref="DeviceBrokenException">The device will never work again in this process.</exception>
    public void Isolate(List<Trajectory> rows, Pass pass, int shape, Exception error, ref TurnTimes times)
    {
        if (IsSettled(rows, pass, shape, error))
            return;
        var suspects = new List<Trajectory>();
        var passed = Halve([.. rows], pass, suspects, ref times, ref error);
        if (suspects.Count == 0)
            return;
        if (passed == 0 && pass == Pass.Network)
            passed = TryWithoutThem(suspects, ref times, ref error);
        var last = error;
        if (pass != Pass.Network)
            outcomes.FailAll(suspects, _ => last);
        else if (passed > 0)
            outcomes.FailAll(suspects, step => new PoisonSampleException(step, last));
        else
            outcomes.FailAll(suspects, step => new PassFailedException(options.Name, step, last));
    }

    /// <summary>Deals with errors that say nothing about single rows.</summary>
    /// <returns>False when the error may be one row's.</returns>
    bool IsSettled(List<Trajectory> rows, Pass pass, int shape, Exception error)
    {
        if (DeviceMemory.IsExhausted(error))
        {
            telemetry.OutOfMemory();
            if (pass == Pass.Network && planner.LowerLimit(shape, rows.Max(row => row.NetworkRows)))
                telemetry.LimitLowered(shape, planner.Limit, error);
            else
                outcomes.FailAll(rows, _ => DeviceMemory.Explain(options, shape, error));
            return true;
        }
        if (DeviceFaults.IsSticky(error))
            throw new DeviceBrokenException(options.Name, error);
        if (error is not JournalException)
            return false;
        outcomes.FailAll(rows, _ => error.InnerException!);
        return true;
    }

    /// <summary>Tries the rows again in ever smaller groups. Rows that pass are a step further, as if nothing had happened.</summary>
    /// <param name="rows">The rows of the pass that threw.</param>
    /// <param name="pass">What gives the prediction.</param>
    /// <param name="suspects">Receives the rows that throw alone.</param>
    /// <param name="times">Of the turn.</param>
    /// <param name="error">Becomes the last error.</param>
    /// <returns>How many rows passed.</returns>
    int Halve(List<Trajectory> rows, Pass pass, List<Trajectory> suspects, ref TurnTimes times, ref Exception error)
    {
        var passed = 0;
        var groups = new Stack<List<Trajectory>>();
        // One row alone may have met a passing trouble: it is tried once more. Several have company.
        if (rows.Count == 1)
            groups.Push(rows);
        else
            Split(rows);
        while (groups.TryPop(out var group))
        {
            var shape = pass == Pass.Network ? planner.Bucket(BatchPlanner.RowsOf(group)) : group.Count;
            if (passes.TryRun(group, pass, shape, ref times) is not { } thrown)
            {
                passed += group.Count;
                continue;
            }
            if (IsSettled(group, pass, shape, thrown))
                continue;
            error = thrown;
            if (group.Count > 1)
                Split(group);
            else
                suspects.Add(group[0]);
        }
        return passed;

        void Split(List<Trajectory> group)
        {
            var half = group.Count / 2;
            groups.Push(group.GetRange(half, group.Count - half));
            groups.Push(group.GetRange(0, half));
        }
    }

    /// <summary>
    /// Every row threw, and they were all there was: is it they, or the network? Zeros in their place, at the same step, tell. When
    /// zeros pass, the rows are tried a last time, for the trouble may have passed.
    /// </summary>
    /// <returns>0 when the network throws whatever it is given.</returns>
    int TryWithoutThem(List<Trajectory> suspects, ref TurnTimes times, ref Exception error)
    {
        if (passes.TryProbe(suspects[0], planner.Bucket(suspects[0].NetworkRows)) is { } thrown)
        {
            error = thrown;
            return 0;
        }
        var still = new List<Trajectory>();
        foreach (var suspect in suspects)
            Halve([suspect], Pass.Network, still, ref times, ref error);
        suspects.Clear();
        suspects.AddRange(still);
        return 1;
    }
}

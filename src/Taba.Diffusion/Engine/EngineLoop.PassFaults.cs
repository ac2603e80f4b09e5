namespace Taba.Diffusion.Engine;

/// <content>
/// What becomes of the rows of a pass that threw. The state is as it was before the pass, so the same rows can be tried again: with
/// fewer of them for want of memory, in halves to find the one that makes the network throw.
/// </content>
sealed partial class EngineLoop
{
    void PassFailed(List<Trajectory> rows, Pass pass, int shape, Exception error, ref TurnTimes times)
    {
        if (IsSettled(rows, pass, shape, error))
            return;
        var suspects = new List<Trajectory>();
        var passed = Isolate([.. rows], pass, suspects, ref times, ref error);
        if (suspects.Count == 0)
            return;
        if (passed == 0 && pass == Pass.Network)
            passed = TryWithoutThem(suspects, ref times, ref error);
        var last = error;
        if (pass != Pass.Network)
            FailAll(suspects, _ => last);
        else if (passed > 0)
            FailAll(suspects, step => new PoisonSampleException(step, last));
        else
            FailAll(suspects, step => new PassFailedException(_options.Name, step, last));
    }

    /// <summary>Deals with errors that say nothing about single rows.</summary>
    /// <returns>False when the error may be one row's.</returns>
    /// <exception cref="DeviceBrokenException">The device will never work again in this process.</exception>
    bool IsSettled(List<Trajectory> rows, Pass pass, int shape, Exception error)
    {
        if (DeviceMemory.IsExhausted(error))
        {
            _telemetry.OutOfMemory();
            if (pass == Pass.Network && _planner.LowerLimit(shape, rows.Max(row => row.NetworkRows)))
                _telemetry.LimitLowered(shape, _planner.Limit, error);
            else
                FailAll(rows, _ => DeviceMemory.Explain(_options, shape, error));
            return true;
        }
        if (DeviceFaults.IsSticky(error))
            throw new DeviceBrokenException(_options.Name, error);
        if (error is not JournalException)
            return false;
        FailAll(rows, _ => error.InnerException!);
        return true;
    }

    /// <summary>Tries the rows again in ever smaller groups. Rows that pass are a step further, as if nothing had happened.</summary>
    /// <param name="rows">The rows of the pass that threw.</param>
    /// <param name="pass">What gives the prediction.</param>
    /// <param name="suspects">Receives the rows that throw alone.</param>
    /// <param name="times">Of the turn.</param>
    /// <param name="error">Becomes the last error.</param>
    /// <returns>How many rows passed.</returns>
    int Isolate(List<Trajectory> rows, Pass pass, List<Trajectory> suspects, ref TurnTimes times, ref Exception error)
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
            var shape = pass == Pass.Network ? _planner.Bucket(BatchPlanner.RowsOf(group)) : group.Count;
            if (TryExecute(group, pass, shape, ref times) is not { } thrown)
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
        var like = suspects[0];
        try
        {
            _pass = new EnginePass(System.Diagnostics.Stopwatch.GetTimestamp(), like.NetworkRows, like.NextStep, like.Tag);
            _executor!.Probe(like, _planner.Bucket(like.NetworkRows));
        }
        catch (Exception thrown) when (!DeviceFaults.IsSticky(thrown))
        {
            error = thrown;
            return 0;
        }
        finally
        {
            _pass = null;
        }
        var still = new List<Trajectory>();
        foreach (var suspect in suspects)
            Isolate([suspect], Pass.Network, still, ref times, ref error);
        suspects.Clear();
        suspects.AddRange(still);
        return 1;
    }
}

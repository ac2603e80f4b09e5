namespace Taba.Diffusion.Engine;

/// <summary>Gives slots to trajectories in the order in which their first segments were asked for.</summary>
sealed class Admission(
    DenoiserFacts model, TurnExecutor executor, BatchPlanner planner, SlotTable slots, SwapPrefetch prefetch, Outcomes outcomes,
    EngineTelemetry telemetry)
{
    readonly Queue<Trajectory> _waiting = new();

    /// <summary>Adds a segment; the trajectory waits for a slot unless it has one.</summary>
    public void RunSegment(Trajectory trajectory, int end)
    {
        if (outcomes.Draining)
        {
            outcomes.FailAsStopped(trajectory);
            return;
        }
        outcomes.Answered(trajectory);
        trajectory.AddSegment(end);
        if (!trajectory.Admitted && !trajectory.Waiting)
        {
            trajectory.Waiting = true;
            _waiting.Enqueue(trajectory);
        }
    }

    /// <summary>Takes a replacement row that was read.</summary>
    public void TakeSwapRow(Trajectory trajectory, ReadOnlyMemory<byte> row)
    {
        trajectory.Fetching = false;
        var step = trajectory.FetchStep - 1;
        try
        {
            RequestChecks.CheckRow($"The swap row of step {step}", row, model.Shape);
        }
        catch (ArgumentException error)
        {
            outcomes.Fail(trajectory, step, error);
            return;
        }
        trajectory.SwapRows.Enqueue(row);
        prefetch.Continue(trajectory);
    }

    /// <summary>Fills the free slots.</summary>
    public void Admit()
    {
        while (slots.HasFree && _waiting.TryDequeue(out var trajectory))
        {
            if (trajectory.Ended)
                continue;
            try
            {
                RequestChecks.Check(trajectory, model, planner.Limit);
                slots.Occupy(trajectory);
                telemetry.Admitted();
                executor.Upload(trajectory);
                trajectory.DropInitialRows();
                prefetch.Continue(trajectory);
            }
            catch (Exception error) when (!DeviceFaults.IsSticky(error))
            {
                outcomes.Fail(trajectory, trajectory.NextStep, error);
            }
        }
    }

    /// <summary>
    /// Begins nothing more. A segment may be long, and whoever drains has little time: its next step is as good an end as any.
    /// </summary>
    public void Drain()
    {
        outcomes.Draining = true;
        foreach (var trajectory in slots.Active)
            trajectory.CutSegments();
        while (_waiting.TryDequeue(out var trajectory))
            outcomes.FailAsStopped(trajectory);
    }
}

namespace Taba.Diffusion.Engine;

/// <summary>
/// Reads replacement rows on the thread pool, ahead of their use: at most one at a time and two at hand for a trajectory, in step order.
/// </summary>
sealed class SwapPrefetch(Mailbox<EngineCommand> mailbox)
{
    const int RowsAhead = 2;

    /// <summary>Begins to read the next row of <paramref name="trajectory"/>, if it needs one. The engine's thread.</summary>
    public void Continue(Trajectory trajectory)
    {
        if (trajectory.Fetching || trajectory.FetchStep >= trajectory.SwapBefore || trajectory.SwapRows.Count >= RowsAhead)
            return;
        trajectory.Fetching = true;
        ThreadPool.UnsafeQueueUserWorkItem(
            static work => work.Prefetch.Read(work.Trajectory, work.Step),
            (Prefetch: this, Trajectory: trajectory, Step: trajectory.FetchStep++),
            preferLocal: false);
    }

    void Read(Trajectory trajectory, int step)
    {
        if (trajectory.Abandoned)
            return;
        EngineCommand answer;
        try
        {
            answer = new EngineCommand(CommandKind.SwapRow) { Trajectory = trajectory, Row = trajectory.SwapRow!(step) };
        }
        catch (Exception error)
        {
            answer = new EngineCommand(CommandKind.Fail) { Trajectory = trajectory, Step = step, Error = error };
        }
        mailbox.Post(answer);
    }
}

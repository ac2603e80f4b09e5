using System.Collections.Concurrent;
using System.Diagnostics;

namespace Taba.Diffusion.Engine;

/// <summary>
/// Decides after a step how each trajectory goes on, ends trajectories, and hands to the output thread what their observers are
/// told.
/// </summary>
sealed class Outcomes(EngineOptions options, EngineTelemetry telemetry, SlotTable slots, SwapPrefetch prefetch, OutputPump output)
{
    /// <summary>Opened and not ended; callers add, the engine's thread removes.</summary>
    public ConcurrentDictionary<long, Trajectory> Live { get; } = new();

    /// <summary>The device's work; null until the model is there.</summary>
    public TurnExecutor? Executor { private get; set; }

    /// <summary>Segments that are asked for from now on are not begun.</summary>
    public bool Draining { get; set; }

    /// <summary>Trajectories whose segment ended in the last turn, and whose callers will soon ask for the next.</summary>
    public int AnswersDue { get; private set; }

    /// <summary>Tells what row number <paramref name="row"/> of the pass gave, and moves its trajectory on.</summary>
    public void Settle(Trajectory trajectory, int row, Pass pass, OutputBatch batch)
    {
        var step = trajectory.NextStep;
        if (!Executor!.Finite[row])
        {
            Fail(trajectory, step, new NonFiniteStateException(step, options.NetworkPrecision), batch);
            return;
        }
        Record(trajectory, row, TensorKinds.Eps, batch);
        Record(trajectory, row, TensorKinds.PredXstart, batch);
        Record(trajectory, row, TensorKinds.State, batch);
        if (pass != Pass.Network)
        {
            trajectory.SwapRows.Dequeue();
            prefetch.Continue(trajectory);
        }
        if (!trajectory.Advance(evaluated: pass == Pass.Network, out var outcome))
            return;

        batch.Items.Add(new OutputItem(trajectory, step) { Outcome = outcome, Place = Executor.Output.Place(TensorKinds.State, row) });
        if (outcome.Completed)
        {
            telemetry.Completed();
            Forget(trajectory);
        }
        else if (Draining && trajectory.InSegment)
        {
            FailAsStopped(trajectory, batch);
        }
        else if (!trajectory.InSegment)
        {
            trajectory.AnswerDue = true;
            AnswersDue++;
        }
    }

    /// <summary>The caller of a trajectory has answered the end of its segment.</summary>
    public void Answered(Trajectory trajectory)
    {
        if (!trajectory.AnswerDue)
            return;
        trajectory.AnswerDue = false;
        AnswersDue--;
    }

    /// <summary>Those who have not answered by now are not waited for a second time.</summary>
    public void ExpectNoMoreAnswers()
    {
        if (AnswersDue == 0)
            return;
        foreach (var trajectory in slots.Active)
            trajectory.AnswerDue = false;
        AnswersDue = 0;
    }

    /// <summary>Ends trajectories, each with the error that its step has.</summary>
    public void FailAll(IEnumerable<Trajectory> rows, Func<int, Exception> error)
    {
        var batch = new OutputBatch();
        foreach (var trajectory in rows)
            Fail(trajectory, trajectory.NextStep, error(trajectory.NextStep), batch);
        Post(batch);
    }

    /// <summary>Ends a trajectory because the engine drains.</summary>
    public void FailAsStopped(Trajectory trajectory, OutputBatch? batch = null)
    {
        if (trajectory.Ended)
            return;
        var step = trajectory.NextStep;
        var error = new EngineStoppedException(
            $"Engine '{options.Name}' is draining and begins no further segment; go on from step {step} later.");
        Fail(trajectory, step, error, batch);
    }

    /// <summary>Ends a trajectory and tells its observer, with <paramref name="batch"/> or at once.</summary>
    public void Fail(Trajectory trajectory, int step, Exception error, OutputBatch? batch = null)
    {
        telemetry.Failed(trajectory, step, error);
        Forget(trajectory);
        var item = new OutputItem(trajectory, step) { Error = error };
        if (batch is not null)
            batch.Items.Add(item);
        else
            Post(new OutputBatch { Items = { item } });
    }

    /// <summary>Takes a trajectory out of the engine, and its slot with it.</summary>
    public void Forget(Trajectory trajectory)
    {
        Answered(trajectory);
        trajectory.Ended = true;
        Live.TryRemove(trajectory.Index, out _);
        telemetry.Left(trajectory.Admitted);
        if (trajectory.Admitted)
        {
            Executor?.Release(trajectory);
            slots.Release(trajectory);
        }
        trajectory.DropInitialRows();
        trajectory.SwapRows.Clear();
    }

    /// <summary>Hands a batch to the output thread; an empty one is only disposed.</summary>
    /// <returns>Stopwatch ticks that the output thread kept us waiting.</returns>
    public long Post(OutputBatch batch)
    {
        if (batch.Items.Count == 0 && batch.Delivered is null)
        {
            batch.DisposeTensors();
            return 0;
        }
        var started = Stopwatch.GetTimestamp();
        output.Post(batch);
        return Stopwatch.GetTimestamp() - started;
    }

    void Record(Trajectory trajectory, int row, TensorKinds kind, OutputBatch batch)
    {
        if ((trajectory.StepCaptures & kind) != 0)
            batch.Items.Add(new OutputItem(trajectory, trajectory.NextStep) { Kind = kind, Place = Executor!.Output.Place(kind, row) });
    }
}

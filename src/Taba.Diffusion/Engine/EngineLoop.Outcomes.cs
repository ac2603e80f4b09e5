using System.Diagnostics;
using Taba.Diffusion.Models;

namespace Taba.Diffusion.Engine;

/// <content>What becomes of a row after its step, of a trajectory that fails, and of all of them at the end.</content>
sealed partial class EngineLoop
{
    /// <summary>Tells what row number <paramref name="row"/> of the pass gave, and moves its trajectory on.</summary>
    void Settle(Trajectory trajectory, int row, Pass pass, OutputBatch output)
    {
        var step = trajectory.NextStep;
        if (!_executor!.Finite[row])
        {
            Fail(trajectory, step, new NonFiniteStateException(step, _options.NetworkPrecision), output);
            return;
        }
        Record(trajectory, row, CaptureKinds.Eps, output);
        Record(trajectory, row, CaptureKinds.PredXstart, output);
        Record(trajectory, row, CaptureKinds.State, output);
        if (pass != Pass.Network)
        {
            trajectory.SwapRows.Dequeue();
            _prefetch.Continue(trajectory);
        }
        if (!trajectory.Advance(evaluated: pass == Pass.Network, out var outcome))
            return;

        output.Items.Add(new OutputItem(trajectory, step) { Outcome = outcome, Place = _executor.Place(CaptureKinds.State, row) });
        if (outcome.Completed)
        {
            _telemetry.Completed();
            Forget(trajectory);
        }
        else if (_draining && trajectory.InSegment)
        {
            FailAsStopped(trajectory, output);
        }
        else if (!trajectory.InSegment)
        {
            trajectory.AnswerDue = true;
            _answersDue++;
        }
    }

    void Answered(Trajectory trajectory)
    {
        if (!trajectory.AnswerDue)
            return;
        trajectory.AnswerDue = false;
        _answersDue--;
    }

    void Record(Trajectory trajectory, int row, CaptureKinds kind, OutputBatch output)
    {
        if ((trajectory.StepCaptures & kind) != 0)
            output.Items.Add(new OutputItem(trajectory, trajectory.NextStep) { Kind = kind, Place = _executor!.Place(kind, row) });
    }

    void FailAll(IEnumerable<Trajectory> rows, Func<int, Exception> error)
    {
        var output = new OutputBatch();
        foreach (var trajectory in rows)
            Fail(trajectory, trajectory.NextStep, error(trajectory.NextStep), output);
        Post(output);
    }

    void FailAsStopped(Trajectory trajectory, OutputBatch? output = null)
    {
        if (trajectory.Ended)
            return;
        var step = trajectory.NextStep;
        var error = new EngineStoppedException($"Engine '{_options.Name}' is draining and begins no further segment; go on from step {step} later.");
        Fail(trajectory, step, error, output);
    }

    /// <summary>Ends a trajectory and tells its observer, with <paramref name="output"/> or at once.</summary>
    void Fail(Trajectory trajectory, int step, Exception error, OutputBatch? output = null)
    {
        _telemetry.Failed(trajectory, step, error);
        Forget(trajectory);
        var item = new OutputItem(trajectory, step) { Error = error };
        if (output is not null)
            output.Items.Add(item);
        else
            Post(new OutputBatch { Items = { item } });
    }

    void Forget(Trajectory trajectory)
    {
        Answered(trajectory);
        trajectory.Ended = true;
        Live.TryRemove(trajectory.Index, out _);
        _telemetry.Left(trajectory.Admitted);
        if (trajectory.Admitted)
        {
            _executor?.Release(trajectory);
            _slots.Release(trajectory);
        }
        trajectory.DropInitialRows();
        trajectory.SwapRows.Clear();
    }

    /// <returns>Stopwatch ticks that the output thread kept us waiting.</returns>
    long Post(OutputBatch output)
    {
        if (output.Items.Count == 0 && output.Delivered is null)
        {
            output.DisposeTensors();
            return 0;
        }
        var started = Stopwatch.GetTimestamp();
        _output.Post(output);
        return Stopwatch.GetTimestamp() - started;
    }

    /// <summary>Called on the output thread.</summary>
    void ObserverFailed(Trajectory trajectory, int step, Exception error) =>
        Mailbox.Post(new EngineCommand(CommandKind.ObserverFailed) { Trajectory = trajectory, Step = step, Error = error });

    /// <summary>Fails what is left, waits until all is delivered and frees the device.</summary>
    void End(IDenoiser? model, Exception? fault)
    {
        foreach (var command in Mailbox.Close())
        {
            if (command.Done is { } drain)
                _drains.Add(drain);
        }
        var error = fault is null
            ? new EngineStoppedException($"Engine '{_options.Name}' was stopped before the trajectory ended.")
            : new EngineStoppedException($"Engine '{_options.Name}' cannot go on: {fault.Message}", fault);
        var output = new OutputBatch();
        foreach (var trajectory in Live.Values)
            Fail(trajectory, trajectory.NextStep, error, output);
        Post(output);
        _output.Complete();
        try
        {
            _executor?.Dispose();
            if (_ownsModel)
                model?.Dispose();
        }
        catch (Exception disposal) when (fault is DeviceBrokenException)
        {
            // Nothing can be freed on a broken device; that it is broken has been told.
            _ = disposal;
        }
        catch (Exception disposal)
        {
            _telemetry.Tell(new EngineFaulted(_options.Name, disposal));
        }
        _output.Ended.Wait();
        foreach (var drain in _drains)
            drain.TrySetResult();
        if (fault is null)
        {
            _ended.SetResult();
            return;
        }
        _ready.TrySetException(error);
        _ended.SetException(error);
        // Whoever waits gets the error; that nobody waits is no second one.
        _ = _ready.Task.Exception;
        _ = _ended.Task.Exception;
    }
}

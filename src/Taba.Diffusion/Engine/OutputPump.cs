using System.Diagnostics.CodeAnalysis;

namespace Taba.Diffusion.Engine;

/// <summary>
/// The thread that calls observers. Its queue is bounded: when the observers are slower than the device, the engine waits
/// here, and memory does not grow.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Completing it ends the thread, and nothing else is held.")]
sealed class OutputPump
{
    readonly WorkThread<OutputBatch> _thread;
    readonly Action<Trajectory, int, Exception> _observerFailed;
    byte[] _blankRow = [];

    /// <param name="name">Name of the thread.</param>
    /// <param name="capacity">Batches that may wait.</param>
    /// <param name="observerFailed">Told of an observer that threw; its trajectory gets nothing more.</param>
    public OutputPump(string name, int capacity, Action<Trajectory, int, Exception> observerFailed)
    {
        _observerFailed = observerFailed;
        _thread = new(name, Deliver, capacity: capacity);
    }

    /// <summary>Bytes of a row; set before the first batch with tensors is posted.</summary>
    public int RowBytes
    {
        set => _blankRow = new byte[value];
    }

    public int Count => _thread.Count;

    /// <summary>Completes when all that was posted before <see cref="Complete"/> is delivered.</summary>
    public Task Ended => _thread.Ended;

    /// <summary>Hands <paramref name="batch"/> over, with its tensors; waits while the queue is full.</summary>
    public void Post(OutputBatch batch) => _thread.Post(batch);

    /// <summary>Says that nothing more is posted.</summary>
    public void Complete() => _thread.Complete();

    void Deliver(IReadOnlyList<OutputBatch> batches)
    {
        foreach (var batch in batches)
        {
            foreach (var item in batch.Items)
                Deliver(batch, item);
            batch.DisposeTensors();
            batch.Delivered?.TrySetResult();
        }
    }

    void Deliver(OutputBatch batch, in OutputItem item)
    {
        var trajectory = item.Trajectory;
        if (trajectory.Abandoned || trajectory.OutputEnded)
            return;
        try
        {
            if (item.Error is not null)
            {
                trajectory.OutputEnded = true;
                trajectory.Observer.OnFailed(item.Step, item.Error);
            }
            else if (item.Outcome is { } outcome)
            {
                trajectory.OutputEnded = outcome.Completed;
                trajectory.Observer.OnSegment(outcome, Row(batch, item));
            }
            else
            {
                trajectory.Observer.OnCaptured(item.Step, item.Kind, Row(batch, item));
            }
        }
        catch (Exception error)
        {
            trajectory.OutputEnded = true;
            if (item.Error is not null)
                return;
            _observerFailed(trajectory, item.Step, error);
            TellFailure(trajectory, item.Step, error);
        }
    }

    ReadOnlySpan<byte> Row(OutputBatch batch, in OutputItem item) =>
        item.Place == OutputPlace.Blank
            ? _blankRow
            : batch.Tensors[item.Place.Tensor].bytes.Slice(checked(item.Place.Row * _blankRow.Length), _blankRow.Length);

    static void TellFailure(Trajectory trajectory, int step, Exception error)
    {
        try
        {
            trajectory.Observer.OnFailed(step, error);
        }
        catch (Exception)
        {
            // The observer threw twice; the first error is the one that was told to Events.
        }
    }
}

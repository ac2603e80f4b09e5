using System.Threading.Channels;
using Taba.Diffusion.Engine;

namespace Taba.Diffusion.Tests.Engine;

/// <summary>Keeps all that a trajectory gave.</summary>
sealed class RecordingObserver : ITrajectoryObserver
{
    readonly TaskCompletionSource<byte[]> _completed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Channel<bool> _segments = Channel.CreateUnbounded<bool>();

    public List<(int Step, TensorKinds Kind, byte[] Row)> Captured { get; } = [];
    public List<(SegmentOutcome Outcome, byte[] State)> Segments { get; } = [];

    /// <summary>The row's shares of passes so far.</summary>
    public TimeSpan Computing { get; private set; }

    /// <summary>The time of each segment.</summary>
    public List<TimeSpan> Elapsed { get; } = [];
    public int? FailedStep { get; private set; }
    public Exception? Error { get; private set; }

    /// <summary>The last state; fails with the trajectory.</summary>
    public Task<byte[]> Completed => _completed.Task.WaitAsync(TimeSpan.FromSeconds(60));

    /// <summary>Runs at each call, before it is noted.</summary>
    public Action<string>? On { get; init; }

    /// <summary>Waits for one more segment, or the failure.</summary>
    public Task NextSegmentAsync() => _segments.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));

    public void OnCaptured(int step, TensorKinds kind, ReadOnlySpan<byte> row)
    {
        On?.Invoke("captured");
        Captured.Add((step, kind, row.ToArray()));
    }

    public void OnSegment(in SegmentOutcome outcome, ReadOnlySpan<byte> state)
    {
        On?.Invoke("segment");
        // How long it took differs from run to run.
        Segments.Add((outcome with { Elapsed = default, Computing = default }, state.ToArray()));
        Elapsed.Add(outcome.Elapsed);
        Computing += outcome.Computing;
        _segments.Writer.TryWrite(true);
        if (outcome.Completed)
            _completed.SetResult(state.ToArray());
    }

    public void OnFailed(int step, Exception error)
    {
        FailedStep = step;
        Error = error;
        _segments.Writer.TryWrite(true);
        if (!_completed.TrySetException(error))
            throw new InvalidOperationException("Failed after it was complete.");
    }
}

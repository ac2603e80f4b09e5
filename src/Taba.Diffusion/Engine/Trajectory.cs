using System.Diagnostics;
using Taba.Diffusion.Models;
using Taba.Diffusion.Sampling;
using Taba.Diffusion.Schedules;

namespace Taba.Diffusion.Engine;

/// <summary>The thing that the next step of a trajectory waits for.</summary>
enum Need
{
    /// <summary>No segment was asked for.</summary>
    Segment,

    /// <summary>A replacement row that is still being read.</summary>
    SwapRow,

    /// <summary>The network.</summary>
    Network,

    /// <summary>An update with the eps that is at hand.</summary>
    SwappedEps,

    /// <summary>Nothing but a copy: the state after the step is at hand.</summary>
    SwappedXt,
}

/// <summary>
/// One trajectory in the engine. Fields belong to the engine's thread, except <see cref="Abandoned"/> (set by the caller,
/// read by the output thread), <see cref="OutputEnded"/> (output thread) and what <see cref="Claim"/> locks.
/// </summary>
sealed class Trajectory(long index, TrajectoryRequest request)
{
    readonly Queue<int> _segmentEnds = new();
    long _segmentBegan;
    long _computingTicks;
    readonly Lock _claim = new();
    int _resolvedStep = -1;
    int _claimed = request.FirstStep;

    public long Index { get; } = index;
    public IDiffusionSchedule Schedule { get; } = request.Schedule;
    public Direction Direction { get; } = request.Direction;
    public PredictionRule Rule { get; } = request.Schedule.Rule(request.Direction);
    public int NumInferenceSteps { get; } = request.Schedule.NumInferenceSteps;
    public long? ClassLabel { get; } = request.ClassLabel;
    public TextEmbedding? Text { get; } = request.Text;
    public TextEmbedding? NullText { get; } = request.NullText;
    public double Guidance { get; } = request.Guidance;

    /// <summary>Rows of the network that one step takes: with guidance also one without condition.</summary>
    public int NetworkRows { get; } = Sampling.Guidance.IsOn(request.Guidance) ? 2 : 1;

    public SwapKind? Swap { get; } = request.Swap;
    public int SwapBefore { get; } = request.Swap is null ? 0 : request.SwapBefore;
    public Func<int, ReadOnlyMemory<byte>>? SwapRow { get; } = request.SwapRow;
    public Func<int, TensorKinds>? Captures { get; } = request.Captures;
    public ITrajectoryObserver Observer { get; } = request.Observer;
    public object? Tag { get; } = request.Tag;
    public double ForwardAlphaBar { get; } = request.ForwardAlphaBar;

    /// <summary>The rows to begin from; dropped once they are on the device.</summary>
    public ReadOnlyMemory<byte> InitialState { get; private set; } = request.State;
    public ReadOnlyMemory<byte>? ForwardNoise { get; private set; } = request.ForwardNoise;

    /// <summary>Row of the state tensor; -1 while it waits.</summary>
    public int Slot { get; set; } = -1;

    /// <summary>It stands in the queue for a slot.</summary>
    public bool Waiting { get; set; }

    /// <summary>Its prompts are on the device.</summary>
    public bool HoldsText { get; set; }

    /// <summary>It has a slot.</summary>
    public bool Admitted => Slot >= 0;

    /// <summary>A segment ended in the last turn, and the caller will soon ask for the next.</summary>
    public bool AnswerDue { get; set; }

    /// <summary>Completed, failed or closed: the engine has forgotten it.</summary>
    public bool Ended { get; set; }

    public int NextStep { get; private set; } = request.FirstStep;
    public int Evaluations { get; private set; }

    /// <summary>Replacement rows that are read and not used yet; the first is for <see cref="NextStep"/>.</summary>
    public Queue<ReadOnlyMemory<byte>> SwapRows { get; } = new();

    /// <summary>The next step to read a replacement row for.</summary>
    public int FetchStep { get; set; } = request.FirstStep;

    /// <summary>A replacement row is being read.</summary>
    public bool Fetching { get; set; }

    /// <summary>The tensors to record of the next step; set by <see cref="Resolve"/>, as the two below.</summary>
    public TensorKinds StepCaptures { get; private set; }
    public StepNumbers Numbers { get; private set; }
    public float Timestep { get; private set; }

    public volatile bool Abandoned;
    public bool OutputEnded { get; set; }

    public bool IsSwapped => NextStep < SwapBefore;
    public bool InSegment => _segmentEnds.Count > 0;

    /// <summary>The next step is the last of its segment.</summary>
    public bool EndsSegment => NextStep + 1 == _segmentEnds.Peek();

    public Need Need =>
        _segmentEnds.Count == 0 ? Need.Segment
        : !IsSwapped ? Need.Network
        : SwapRows.Count == 0 ? Need.SwapRow
        : Swap == SwapKind.Eps ? Need.SwappedEps
        : Need.SwappedXt;

    /// <summary>Lets go of the rows to begin from.</summary>
    public void DropInitialRows()
    {
        InitialState = default;
        ForwardNoise = null;
    }

    /// <summary>Takes <paramref name="steps"/> of the steps that no segment was asked for. Any thread.</summary>
    /// <returns>The step at which the segment ends.</returns>
    public int Claim(int steps)
    {
        lock (_claim)
        {
            var left = NumInferenceSteps - _claimed;
            if (steps < 1 || steps > left)
            {
                throw new ArgumentOutOfRangeException(
                    nameof(steps),
                    steps,
                    $"A segment of trajectory {Index} has 1 to {left} steps: {_claimed} of {NumInferenceSteps} are asked for already.");
            }
            return _claimed += steps;
        }
    }

    public void AddSegment(int end)
    {
        if (_segmentEnds.Count == 0)
            _segmentBegan = Stopwatch.GetTimestamp();
        _segmentEnds.Enqueue(end);
    }

    /// <summary>Ends the segment under way with the next step, and takes back those behind it.</summary>
    public void CutSegments()
    {
        if (_segmentEnds.Count == 0)
            return;
        _segmentEnds.Clear();
        _segmentEnds.Enqueue(NextStep + 1);
    }

    /// <summary>Asks the schedule and the caller, once per step, what the next step is and what of it to record.</summary>
    public void Resolve()
    {
        if (_resolvedStep == NextStep)
            return;
        var step = Schedule.Step(Direction, NextStep);
        Timestep = step.Timestep;
        Numbers = StepNumbers.From(step, Rule, Schedule.Bounds, epsGiven: IsSwapped);
        StepCaptures = Captures?.Invoke(NextStep) ?? TensorKinds.None;
        _resolvedStep = NextStep;
    }

    /// <summary>Adds the row's share of a pass, in Stopwatch ticks.</summary>
    public void Charge(long ticks) => _computingTicks += ticks;

    /// <summary>Counts one step as done.</summary>
    /// <returns>True when it ended a segment, which is then told by <paramref name="outcome"/>.</returns>
    public bool Advance(bool evaluated, out SegmentOutcome outcome)
    {
        NextStep++;
        if (evaluated)
            Evaluations += NetworkRows;
        if (NextStep < _segmentEnds.Peek())
        {
            outcome = default;
            return false;
        }
        _segmentEnds.Dequeue();
        var now = Stopwatch.GetTimestamp();
        outcome = new SegmentOutcome(NextStep, NextStep == NumInferenceSteps, Evaluations)
        {
            Elapsed = Stopwatch.GetElapsedTime(_segmentBegan, now),
            Computing = Stopwatch.GetElapsedTime(0, _computingTicks),
        };
        _segmentBegan = now;
        _computingTicks = 0;
        Evaluations = 0;
        return true;
    }
}

using Taba.Diffusion.Models;
using Taba.Diffusion.Schedules;

namespace Taba.Diffusion.Engine;

/// <summary>One trajectory: where it begins, which way it goes, what is replaced and what is recorded.</summary>
public sealed record TrajectoryRequest
{
    public required IDiffusionSchedule Schedule { get; init; }

    public required Direction Direction { get; init; }

    /// <summary>The first step to execute: 0, K after forward replacement, or where a checkpoint stands.</summary>
    public required int FirstStep { get; init; }

    /// <summary>float32 little-endian row [C,H,W]: the state before <see cref="FirstStep"/>. Not changed after the call.</summary>
    public required ReadOnlyMemory<byte> State { get; init; }

    /// <summary>
    /// When set, the state is first diffused forward: x ← √ᾱ·x + √(1-ᾱ)·ε, ᾱ = <see cref="ForwardAlphaBar"/>; float32 row.
    /// </summary>
    public ReadOnlyMemory<byte>? ForwardNoise { get; init; }

    public double ForwardAlphaBar { get; init; }

    /// <summary>Class id of a class-conditional model.</summary>
    public long? ClassLabel { get; init; }

    /// <summary>The prompt of a text-conditional model.</summary>
    public TextEmbedding? Text { get; init; }

    /// <summary>The negative prompt, which guidance leads away from in a text-conditional model. Upstream's is empty.</summary>
    public TextEmbedding? NullText { get; init; }

    /// <summary>Scale of classifier-free guidance; 1 or less is none. A guided step costs two rows of the network.</summary>
    public double Guidance { get; init; } = 1;

    /// <summary>
    /// The replacement of the prediction, if there is one, in steps 0 .. <see cref="SwapBefore"/>-1 (steps counted from 0 in
    /// executed order).
    /// </summary>
    public SwapKind? Swap { get; init; }

    public int SwapBefore { get; init; }

    /// <summary>
    /// The replacement row (float32) for step k &lt; <see cref="SwapBefore"/>. Called off the engine's thread, one step ahead.
    /// </summary>
    public Func<int, ReadOnlyMemory<byte>>? SwapRow { get; init; }

    /// <summary>
    /// Gives the tensors to record at a step. It is called once per step, on the engine's thread, so it must only answer. At a step whose
    /// state is swapped (<see cref="SwapKind.Xt"/>) there is no prediction: eps and x̂0 are recorded as zeros.
    /// </summary>
    public Func<int, TensorKinds>? Captures { get; init; }

    /// <summary>
    /// The owner of the trajectory, in the caller's words. It is handed unchanged to <see cref="IEvaluationJournal"/> and to events.
    /// </summary>
    public object? Tag { get; init; }

    /// <summary>The receiver of the results.</summary>
    public required ITrajectoryObserver Observer { get; init; }
}

/// <summary>
/// Receives what leaves the engine. Called on the engine's output thread, in step order per trajectory, never on the
/// thread that drives the device; the spans are valid during the call only.
/// </summary>
public interface ITrajectoryObserver
{
    /// <summary>One recorded tensor of one step; <paramref name="row"/> is float32, [C,H,W].</summary>
    void OnCaptured(int step, TensorKinds kind, ReadOnlySpan<byte> row);

    /// <summary>A segment ended. All captures of its steps were delivered before.</summary>
    void OnSegment(in SegmentOutcome outcome, ReadOnlySpan<byte> state);

    /// <summary>The trajectory cannot go on: NaN or Inf in its row, out of memory at one row, the engine stopped.</summary>
    void OnFailed(int step, Exception error);
}

/// <summary>The end of a segment.</summary>
/// <param name="NextStep">The next step to execute; T when the trajectory is complete.</param>
/// <param name="Completed">True when the trajectory is complete; its slot is then free again.</param>
/// <param name="Evaluations">Network evaluations of this row in this segment (padding and swapped steps not counted).</param>
public readonly record struct SegmentOutcome(int NextStep, bool Completed, int Evaluations)
{
    /// <summary>The time since the engine took the segment, or since the end of the one before it, whichever is shorter.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>This row's share of the passes that moved it. Together the rows of a device have the time that it worked.</summary>
    public TimeSpan Computing { get; init; }
}

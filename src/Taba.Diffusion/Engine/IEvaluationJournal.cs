namespace Taba.Diffusion.Engine;

/// <summary>One row of a forward pass.</summary>
/// <param name="Tag">What the request said of itself (<see cref="TrajectoryRequest.Tag"/>).</param>
/// <param name="Step">The step that is computed, executed order from 0.</param>
public readonly record struct EvaluationRecord(object? Tag, int Step);

/// <summary>
/// Told of each forward pass just before it begins, so that what was computed can be counted even after a kill. Padding and
/// swapped steps are not told; a pass repeated after running out of memory is told twice. Called on the engine's thread: it
/// must return at once, and when it throws, the rows of that pass fail.
/// </summary>
public interface IEvaluationJournal
{
    /// <param name="rows">The rows of the pass; valid during the call only.</param>
    void Evaluating(ReadOnlySpan<EvaluationRecord> rows);
}

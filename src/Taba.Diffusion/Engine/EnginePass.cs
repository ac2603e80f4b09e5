using System.Diagnostics;

namespace Taba.Diffusion.Engine;

/// <summary>A pass that an engine's thread is in at this moment.</summary>
/// <param name="StartedAt">Stopwatch timestamp of its begin.</param>
/// <param name="Rows">Rows of the pass, padding included.</param>
/// <param name="Step">The step of its first row, executed order from 0.</param>
/// <param name="Tag">What its first row's request says of itself.</param>
public sealed record EnginePass(long StartedAt, int Rows, int Step, object? Tag)
{
    /// <summary>The time that it takes so far.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(StartedAt);
}

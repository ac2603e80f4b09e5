namespace Taba.Chaos;

/// <summary>
/// Two sweeps that run at the same time and share the sampling stage, the plain inversion and its reconstruction. Each has an inversion and
/// a reconstruction of its own beside them.
/// </summary>
sealed class SweepPair(int samples)
{
    /// <summary>Samples of a run of one to two minutes, of one half as long, and of a quarter.</summary>
    public const int Large = 192, Medium = 96, Small = 48;

    const int Replaced = 3;

    /// <summary>The first inversion steps have the predictions of sampling, which the sampling stage keeps for it.</summary>
    public ChaosSweep Swap { get; } = new("swap", samples, $"swap: {{ type: eps, before: {Replaced} }}");

    /// <summary>The first inversion steps are one step of forward diffusion.</summary>
    public ChaosSweep Forward { get; } = new("forward", samples, $"forward: {{ before: {Replaced}, seed: 999 }}");

    /// <summary>
    /// Both, in the order of submission: rows that were published without the predictions that <see cref="Swap"/> needs would be computed
    /// a second time, so it comes first.
    /// </summary>
    public IReadOnlyList<ChaosSweep> Both => [Swap, Forward];

    /// <summary>
    /// Evaluations of an undisturbed run: the shared stages once, three inversions and three reconstructions in all, of which two
    /// inversions replace steps.
    /// </summary>
    public long Planned => (long)samples * (7 * ChaosSweep.Steps - 2 * Replaced);
}

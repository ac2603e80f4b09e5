namespace Taba.Diffusion.Metrics.Trajectories;

/// <summary>The states of one step.</summary>
/// <param name="Distances">
/// Mean L2 distance over samples to each point of the line, from noise to latent, in units of the states. Upstream plots each step scaled
/// to 0..1.
/// </param>
/// <param name="CloserToNoise">States strictly closer to the noise.</param>
/// <param name="CloserToLatent">The others.</param>
public sealed record TrajectoryStep(IReadOnlyList<double> Distances, long CloserToNoise, long CloserToLatent);

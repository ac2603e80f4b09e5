using static TorchSharp.torch;

namespace Taba.Diffusion.Sampling;

/// <summary>What a DDIM step gives, each [B,C,H,W], float32.</summary>
/// <param name="XNext">The state after the step (all_t_samples, all_t_latents).</param>
/// <param name="EpsUsed">The eps that made it, re-derived or given (all_t_eps_*).</param>
/// <param name="PredXstart">x̂0, clamped where the row's rule clamps (all_t_pred_xstart_*).</param>
public readonly record struct DdimResult(Tensor XNext, Tensor EpsUsed, Tensor PredXstart);

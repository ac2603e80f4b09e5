using static TorchSharp.torch;

namespace Taba.Diffusion.Sampling;

/// <summary>The tensors of a DDIM step, each [B,C,H,W].</summary>
/// <param name="XNext">The state after the step (all_t_samples, all_t_latents).</param>
/// <param name="EpsUsed">The eps that made it: the network's, the one computed again from x̂0, or the given one (all_t_eps_*).</param>
/// <param name="PredXstart">x̂0, within its bounds (all_t_pred_xstart_*).</param>
public readonly record struct DdimResult(Tensor XNext, Tensor EpsUsed, Tensor PredXstart);

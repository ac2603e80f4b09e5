namespace Taba;

/// <summary>The tensors of a step, which can be kept.</summary>
[Flags]
public enum TensorKinds
{
    None = 0,

    /// <summary>The state after the step (all_t_samples, all_t_latents).</summary>
    State = 1,

    /// <summary>The eps used at the step, after re-derivation or swap (all_t_eps_*).</summary>
    Eps = 2,

    /// <summary>x̂0 after clipping (all_t_pred_xstart_*).</summary>
    PredXstart = 4,
}

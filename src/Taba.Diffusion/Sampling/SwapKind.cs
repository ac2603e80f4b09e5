namespace Taba.Diffusion.Sampling;

/// <summary>The stand-in for the network's prediction in a step.</summary>
public enum SwapKind
{
    None,

    /// <summary>The given tensor is eps; x̂0 is computed from it without clipping. The network is not called.</summary>
    Eps,

    /// <summary>The given tensor is the state after the step. The network is not called.</summary>
    Xt,
}

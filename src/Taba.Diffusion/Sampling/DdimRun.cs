using static TorchSharp.torch;

namespace Taba.Diffusion.Sampling;

/// <summary>A run of <see cref="DdimSampler"/>: a batch, its conditions, and what is replaced on the way.</summary>
public sealed record DdimRun
{
    /// <summary>x_T to sample from, or x_0 to invert: [B,C,H,W], float32, on the model's device. Not changed.</summary>
    public required Tensor X { get; init; }

    /// <summary>[B] int64 classes, or [B,L,D] embeddings of prompts; null for an unconditional model.</summary>
    public Tensor? Conditions { get; init; }

    /// <summary>
    /// The conditions to guide away from, of the shape of <see cref="Conditions"/>: the null class, or the negative prompt.
    /// </summary>
    public Tensor? NullConditions { get; init; }

    /// <summary>Scale of classifier-free guidance; 1 or less is none.</summary>
    public double GuidanceScale { get; init; } = 1;

    /// <summary>The replacement of the network's predictions in the first steps; null for none.</summary>
    public SwapKind? Swap { get; init; }

    /// <summary>swap_before_t: steps 0 .. this-1, counted in the order of execution, are replaced.</summary>
    public int SwapBefore { get; init; }

    /// <summary>The replacement for step k &lt; <see cref="SwapBefore"/>, [B,C,H,W].</summary>
    public Func<int, Tensor>? SwapRows { get; init; }

    /// <summary>forward_before_t: that many first steps of an inversion are replaced by forward diffusion; 0 for none.</summary>
    public int ForwardBefore { get; init; }

    /// <summary>ε of the forward diffusion, [B,C,H,W].</summary>
    public Tensor? ForwardNoise { get; init; }

    /// <summary>The type in which states are kept between steps.</summary>
    public ScalarType State { get; init; } = ScalarType.Float32;
}

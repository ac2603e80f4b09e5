namespace Taba.Diffusion.Sampling;

/// <summary>Which rows of a batch have x̂0 clamped to [-1,1] and eps re-derived. The three give the same numbers; they differ in cost.</summary>
public enum ClampMix
{
    /// <summary>Every row.</summary>
    All,

    /// <summary>No row, and none is clamped or thresholded otherwise.</summary>
    None,

    /// <summary>Some rows, or not known: the flags of the coefficients decide row by row.</summary>
    Some,
}

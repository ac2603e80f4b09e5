namespace Taba.Diffusion.Metrics.PlainAreas;

/// <summary>What the values of an image mean when bytes are made of them.</summary>
public enum PixelScale
{
    /// <summary>From -1 to 1: (x + 1)/2, times 255, cut off.</summary>
    Signed,

    /// <summary>From 0 to 1: times 255, cut off.</summary>
    Unit,

    /// <summary>From 0 to 255: cut off.</summary>
    Bytes,
}

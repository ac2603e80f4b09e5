namespace Taba;

/// <summary>The ways in which an address becomes numbers.</summary>
public enum NoiseLayout
{
    /// <summary>The rows of one torch.randn over all samples: the numbers Python users already have.</summary>
    Upstream,

    /// <summary>Each sample's own counter-based stream: no number depends on how many samples there are.</summary>
    PerSample,
}

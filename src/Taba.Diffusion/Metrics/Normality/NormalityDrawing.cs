namespace Taba.Diffusion.Metrics.Normality;

/// <summary>How the values of a sample are drawn that are tested.</summary>
public enum NormalityDrawing
{
    /// <summary>
    /// Without replacement, by Philox with the seed as key and the row as counter: all values where there are no more than the limit.
    /// </summary>
    WithoutReplacement,

    /// <summary>
    /// With replacement, as upstream: the numbers of <c>torch.manual_seed(seed)</c>, then <c>torch.randint</c> row by row. Values that were
    /// drawn twice tie, which the test is not made for: normal samples are rejected too often.
    /// </summary>
    Upstream,
}

namespace Taba.Diffusion.Metrics.Uncertainty;

/// <summary>A 95 % confidence interval, in the units of what it is of.</summary>
public readonly record struct Interval(double Low, double High)
{
    /// <summary>How often such intervals hold what they are of.</summary>
    public const double Confidence = 0.95;

    /// <summary>True when a value cannot be told from what was measured.</summary>
    public bool Holds(double value) => Low <= value && value <= High;
}

namespace Taba.Diffusion.Metrics;

/// <summary>Mean and unbiased standard deviation of the strongest correlations; NaN where a value never varied.</summary>
public readonly record struct CorrelationSummary(double Mean, double Std);

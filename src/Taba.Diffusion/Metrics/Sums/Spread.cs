namespace Taba.Diffusion.Metrics.Sums;

/// <summary>Mean and standard deviation over samples; each analysis says whether the deviation is unbiased. NaN where there is none.</summary>
public readonly record struct Spread(double Mean, double Std);

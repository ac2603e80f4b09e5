namespace Taba.Diffusion.Metrics.PlainAreas;

/// <summary>Errors in plain areas and elsewhere.</summary>
/// <param name="Fraction">Plain pixels of all pixels, 0 to 1; NaN without rows.</param>
/// <param name="Plain">Inside the mask.</param>
/// <param name="Other">Outside.</param>
public sealed record PlainAreaErrors(double Fraction, AreaErrors Plain, AreaErrors Other);

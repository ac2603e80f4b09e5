namespace Taba.Diffusion.Metrics;

/// <summary>Mean and standard deviation of all elements of a tensor.</summary>
/// <param name="Count">Elements.</param>
/// <param name="Mean">NaN without elements.</param>
/// <param name="Std">Unbiased (divided by count - 1); NaN below two elements.</param>
public readonly record struct Moments(long Count, double Mean, double Std)
{
    /// <summary>Std².</summary>
    public double Variance => Std * Std;
}

namespace Taba.Parity.Tests;

/// <summary>The rows that the stages of a run are given, by element, as the recurrence or the files have them.</summary>
/// <param name="Image">The image that is inverted.</param>
/// <param name="Eps">The prediction of the k-th sampling step from the end, k = 0 for the last.</param>
/// <param name="State">The state before the k-th sampling step from the end; before the first step it is the noise.</param>
sealed record GaussianInputs(Func<int, double> Image, Func<int, int, double> Eps, Func<int, int, double> State);

/// <summary>How an inversion begins and what replaces its steps.</summary>
/// <param name="First">The first step that is executed.</param>
/// <param name="Start">By element, the state that it begins with.</param>
sealed record GaussianInversion(int First, Func<int, double> Start)
{
    /// <summary>By element and step, a prediction that replaces the model's; null where none does.</summary>
    public Func<int, int, double?> Eps { get; init; } = (_, _) => null;

    /// <summary>By element and step, a state that replaces the step's; null where none does.</summary>
    public Func<int, int, double?> Xt { get; init; } = (_, _) => null;

    public static GaussianInversion Plain(GaussianInputs inputs) => new(0, inputs.Image);

    public static GaussianInversion SwapEps(GaussianInputs inputs, int before) =>
        Plain(inputs) with { Eps = (element, i) => i < before ? inputs.Eps(element, i) : null };

    public static GaussianInversion SwapXt(GaussianInputs inputs, int before) =>
        Plain(inputs) with { Xt = (element, i) => i < before ? inputs.State(element, i) : null };

    public static GaussianInversion Forward(GaussianInputs inputs, GaussianChain chain, int before)
    {
        var noise = GaussianRuns.Noise(GaussianRuns.ForwardSeed);
        return new(before, element => chain.Of(element).Diffuse(inputs.Image(element), noise[element], before));
    }
}

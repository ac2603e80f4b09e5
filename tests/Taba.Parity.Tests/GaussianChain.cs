namespace Taba.Parity.Tests;

/// <summary>The recurrences of all elements of a Gaussian run, and the sampling that all its interventions share.</summary>
sealed class GaussianChain
{
    readonly GaussianRecurrence[] channels;
    readonly GaussianRecurrence.Step[][] sampling;

    public GaussianChain(GaussianSweep sweep, int numInferenceSteps)
    {
        Sweep = sweep;
        NumInferenceSteps = numInferenceSteps;
        channels = [.. sweep.Mean.Select(mean => new GaussianRecurrence(sweep.DiffusionSteps, sweep.Cosine, numInferenceSteps, mean, sweep.Deviation))];
        Noise = GaussianRuns.Noise(GaussianRuns.Seed);
        sampling = [.. Noise.Select((x, element) => Of(element).Sample(x))];
    }

    public GaussianSweep Sweep { get; }

    public int NumInferenceSteps { get; }

    /// <summary>x_T, [N,C,H,W].</summary>
    public float[] Noise { get; }

    /// <summary>How often x̂0 was clamped, in all that was computed so far.</summary>
    public int Clamped => channels.Sum(channel => channel.Clamped);

    /// <summary>The recurrence of an element's channel.</summary>
    public GaussianRecurrence Of(int element) => channels[element / (GaussianRuns.Side * GaussianRuns.Side) % GaussianRuns.Channels];

    /// <summary>The sampling steps of an element.</summary>
    public GaussianRecurrence.Step[] Sampling(int element) => sampling[element];

    /// <summary>The image.</summary>
    public double Sampled(int element) => sampling[element][^1].X;
}

/// <summary>How an inversion begins and what replaces its steps.</summary>
/// <param name="First">The first step that is executed.</param>
/// <param name="Start">By element, the state that it begins with.</param>
sealed record GaussianInversion(int First, Func<int, double> Start)
{
    /// <summary>By element and step, a prediction that replaces the model's; null where none does.</summary>
    public Func<int, int, double?> Eps { get; init; } = (_, _) => null;

    /// <summary>By element and step, a state that replaces the step's; null where none does.</summary>
    public Func<int, int, double?> Xt { get; init; } = (_, _) => null;
}

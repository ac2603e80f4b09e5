namespace Taba.Parity.Tests;

/// <summary>The recurrences of all elements of a Gaussian run, and the sampling that all its interventions share.</summary>
sealed class GaussianChain
{
    readonly GaussianRecurrence[] _channels;

    public GaussianChain(GaussianSweep sweep, int numInferenceSteps)
    {
        Sweep = sweep;
        NumInferenceSteps = numInferenceSteps;
        _channels = [.. sweep.Mean.Select(
            mean => new GaussianRecurrence(sweep.DiffusionSteps, sweep.Cosine, numInferenceSteps, mean, sweep.Deviation))];
        Noise = GaussianRuns.Noise(GaussianRuns.Seed);
        Sampling = [.. Noise.Select((x, element) => Of(element).Sample(x))];
        Inputs = new(
            element => Sampling[element][^1].X,
            (element, k) => Sampling[element][^(k + 1)].Eps!.Value,
            (element, k) => k + 1 < numInferenceSteps ? Sampling[element][^(k + 2)].X : Noise[element]);
    }

    public GaussianSweep Sweep { get; }

    public int NumInferenceSteps { get; }

    /// <summary>x_T, [N,C,H,W].</summary>
    public float[] Noise { get; }

    /// <summary>By element, the sampling steps.</summary>
    public GaussianRecurrence.Step[][] Sampling { get; }

    /// <summary>What sampling gives to inversions.</summary>
    public GaussianInputs Inputs { get; }

    /// <summary>How often x̂0 was clamped, in all that was computed so far.</summary>
    public int Clamped => _channels.Sum(channel => channel.Clamped);

    /// <summary>The recurrence of an element's channel.</summary>
    public GaussianRecurrence Of(int element) => _channels[element / (GaussianRuns.Side * GaussianRuns.Side) % GaussianRuns.Channels];

    /// <summary>By element, the steps of an inversion.</summary>
    public GaussianRecurrence.Step[][] Invert(GaussianInversion inversion) =>
    [
        .. Enumerable.Range(0, Noise.Length).Select(element => Of(element).Invert(
            inversion.Start(element), inversion.First, i => inversion.Eps(element, i), i => inversion.Xt(element, i))),
    ];

    /// <summary>By element, the sampling steps from given latents.</summary>
    public GaussianRecurrence.Step[][] Reconstruct(Func<int, double> latents) =>
        [.. Enumerable.Range(0, Noise.Length).Select(element => Of(element).Sample(latents(element)))];
}

namespace Taba.Parity.Tests;

/// <summary>
/// The chain of an ADM-like model on one number, in float64, for a pixel whose values are Gaussian: written down from the
/// description of the method alone (Dhariwal and Nichol 2021, Song et al. 2021), and sharing nothing with what it checks.
/// </summary>
sealed class GaussianRecurrence
{
    readonly double[] _alphaBar;
    readonly double _mean;
    readonly double _deviation;

    /// <param name="diffusionSteps">Steps of the forward process.</param>
    /// <param name="cosine">Its curve: cosine, or linear.</param>
    /// <param name="numInferenceSteps">T.</param>
    /// <param name="mean">Of the pixel.</param>
    /// <param name="deviation">Of the pixel.</param>
    public GaussianRecurrence(int diffusionSteps, bool cosine, int numInferenceSteps, double mean, double deviation)
    {
        _mean = mean;
        _deviation = deviation;
        var levels = Levels(diffusionSteps, cosine);
        var stride = Enumerable.Range(1, diffusionSteps).First(s => (diffusionSteps + s - 1) / s == numInferenceSteps);
        _alphaBar = [.. Enumerable.Range(0, numInferenceSteps).Select(i => levels[i * stride])];
    }

    /// <summary>How often x̂0 lay outside [-1,1].</summary>
    public int Clamped { get; private set; }

    int T => _alphaBar.Length;

    /// <summary>From noise to an image: T steps, noisiest first.</summary>
    public Step[] Sample(double x)
    {
        var steps = new Step[T];
        for (var i = T - 1; i >= 0; i--)
            steps[T - 1 - i] = Move(x, i, i > 0 ? _alphaBar[i - 1] : 1, null, out x);
        return steps;
    }

    /// <summary>From an image to a latent: steps <paramref name="first"/> to T - 1.</summary>
    /// <param name="x">The image, or what forward diffusion made of it.</param>
    /// <param name="first">The first step that is executed.</param>
    /// <param name="eps">By step, what replaces the prediction.</param>
    /// <param name="xt">By step, what replaces the state after it.</param>
    public Step[] Invert(double x, int first, Func<int, double?> eps, Func<int, double?> xt)
    {
        var steps = new Step[T - first];
        for (var i = first; i < T; i++)
        {
            if (xt(i) is { } given)
                steps[i - first] = new(x = given, null, null);
            else
                steps[i - first] = Move(x, i, i < T - 1 ? _alphaBar[i + 1] : 0, eps(i), out x);
        }
        return steps;
    }

    /// <summary>Forward diffusion of an image to the level from which inversion goes on at step <paramref name="before"/>.</summary>
    public double Diffuse(double x, double noise, int before) =>
        (Math.Sqrt(_alphaBar[before]) * x) + (Math.Sqrt(1 - _alphaBar[before]) * noise);

    /// <summary>
    /// Where the probability flow takes noise at the level that sampling begins from: Gaussian data stay Gaussian, and the flow
    /// keeps a pixel's distance from the mean in deviations.
    /// </summary>
    public double FlowToImage(double xT)
    {
        var level = _alphaBar[T - 1];
        return _mean + (_deviation * (xT - (Math.Sqrt(level) * _mean)) / Math.Sqrt((level * _deviation * _deviation) + 1 - level));
    }

    /// <summary>Where the flow takes an image, as inversion sees it: from level ᾱ_0 to pure noise.</summary>
    public double FlowToNoise(double x)
    {
        var level = _alphaBar[0];
        return (x - (Math.Sqrt(level) * _mean)) / Math.Sqrt((level * _deviation * _deviation) + 1 - level);
    }

    /// <summary>How far a state of one of the levels is from the mean of that level.</summary>
    public double FromMean(double x, Index level) => x - (Math.Sqrt(_alphaBar[level]) * _mean);

    Step Move(double x, int i, double next, double? given, out double moved)
    {
        var level = _alphaBar[i];
        // E[ε | x] for x = √ᾱ·x0 + √(1-ᾱ)·ε.
        var eps = given ?? Math.Sqrt(1 - level) * (x - (Math.Sqrt(level) * _mean)) / ((level * _deviation * _deviation) + 1 - level);
        var predXstart = (x - (Math.Sqrt(1 - level) * eps)) / Math.Sqrt(level);
        if (given is null && Math.Abs(predXstart) > 1)
        {
            Clamped++;
            predXstart = Math.Sign(predXstart);
            eps = (x - (Math.Sqrt(level) * predXstart)) / Math.Sqrt(1 - level);
        }
        moved = (Math.Sqrt(next) * predXstart) + (Math.Sqrt(1 - next) * eps);
        return new(moved, eps, predXstart);
    }

    static double[] Levels(int steps, bool cosine)
    {
        var levels = new double[steps];
        var product = 1.0;
        for (var i = 0; i < steps; i++)
            levels[i] = product *= 1 - Beta(i);
        return levels;

        double Beta(int i)
        {
            if (cosine)
                return Math.Min(1 - (Curve((i + 1.0) / steps) / Curve((double)i / steps)), 0.999);
            var scale = 1000.0 / steps;
            return scale * (0.0001 + ((0.02 - 0.0001) * i / (steps - 1)));
        }

        static double Curve(double u) => Math.Pow(Math.Cos((u + 0.008) / 1.008 * Math.PI / 2), 2);
    }

    /// <summary>What a step leaves.</summary>
    /// <param name="X">The state after it.</param>
    /// <param name="Eps">The prediction that made it; null where the state was given.</param>
    /// <param name="PredXstart">x̂0; null where the state was given.</param>
    public readonly record struct Step(double X, double? Eps, double? PredXstart);
}

namespace Taba.Diffusion.Schedules;

/// <summary>The variances β of the forward process, in float64.</summary>
public static class BetaSchedule
{
    // Nichol and Dhariwal 2021, section 3.2: the offset keeps β from vanishing near t = 0, the cap keeps the last step regular.
    const double CosineOffset = 0.008;
    const double CosineMaxBeta = 0.999;

    // Ho et al. 2020, section 4, stated for 1000 steps.
    const double LinearFirst = 0.0001;
    const double LinearLast = 0.02;

    /// <summary>The β of a named schedule.</summary>
    /// <param name="schedule">Which curve.</param>
    /// <param name="diffusionSteps">Training steps, 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">The schedule is unknown or there are no steps.</exception>
    public static double[] Create(NoiseSchedule schedule, int diffusionSteps) => schedule switch
    {
        NoiseSchedule.Linear => Linear(diffusionSteps),
        NoiseSchedule.Cosine => Cosine(diffusionSteps),
        _ => throw new ArgumentOutOfRangeException(nameof(schedule), schedule, "Unknown noise schedule; use Linear or Cosine."),
    };

    /// <summary>The schedule a checkpoint's settings name.</summary>
    /// <param name="name">"linear" or "cosine".</param>
    /// <exception cref="ArgumentException">Any other name.</exception>
    public static NoiseSchedule Parse(string name) => name switch
    {
        "linear" => NoiseSchedule.Linear,
        "cosine" => NoiseSchedule.Cosine,
        _ => throw new ArgumentException($"Unknown noise schedule '{name}'; use 'linear' or 'cosine'.", nameof(name)),
    };

    /// <summary>β from 0.0001·s to 0.02·s in even steps, s = 1000 / <paramref name="diffusionSteps"/>.</summary>
    public static double[] Linear(int diffusionSteps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(diffusionSteps, 1);
        var scale = 1000.0 / diffusionSteps;
        var first = scale * LinearFirst;
        var last = scale * LinearLast;
        var increment = diffusionSteps == 1 ? 0 : (last - first) / (diffusionSteps - 1);

        var betas = new double[diffusionSteps];
        for (var i = 0; i < betas.Length; i++)
            betas[i] = (i * increment) + first;
        if (diffusionSteps > 1)
            betas[^1] = last;
        return betas;
    }

    /// <summary>β_i = min(1 - ᾱ((i+1)/n) / ᾱ(i/n), 0.999) with ᾱ(u) = cos²((u + 0.008) / 1.008 · π/2).</summary>
    public static double[] Cosine(int diffusionSteps)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(diffusionSteps, 1);
        var betas = new double[diffusionSteps];
        for (var i = 0; i < betas.Length; i++)
        {
            var before = CosineAlphaBar((double)i / diffusionSteps);
            var after = CosineAlphaBar((double)(i + 1) / diffusionSteps);
            betas[i] = Math.Min(1 - (after / before), CosineMaxBeta);
        }

        return betas;
    }

    static double CosineAlphaBar(double time)
    {
        var cosine = Math.Cos((time + CosineOffset) / (1 + CosineOffset) * Math.PI / 2);
        return cosine * cosine;
    }
}

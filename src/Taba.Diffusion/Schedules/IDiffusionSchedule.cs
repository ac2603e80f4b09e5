namespace Taba.Diffusion.Schedules;

/// <summary>The noise levels of T inference steps in both directions. Immutable; safe to share.</summary>
public interface IDiffusionSchedule
{
    /// <summary>T.</summary>
    int NumInferenceSteps { get; }

    /// <summary>The treatment of x̂0 in a direction.</summary>
    PredictionRule Rule(Direction direction);

    /// <summary>The numbers that the rules need.</summary>
    PredictionBounds Bounds => PredictionBounds.Unit;

    /// <summary>The k-th executed step of a direction, k = 0 .. T-1 (in sampling step 0 is the noisiest).</summary>
    DdimStep Step(Direction direction, int k);

    /// <summary>
    /// ᾱ of the level to which forward diffusion takes a clean image when the first K inversion steps are replaced;
    /// inversion then goes on from step K.
    /// </summary>
    /// <param name="forwardBeforeT">K, 1 .. <see cref="MaxForwardBeforeT"/>.</param>
    double ForwardAlphaBar(int forwardBeforeT);

    /// <summary>The largest legal K of forward replacement (T-1 for ADM: upstream's K = T is out of range).</summary>
    int MaxForwardBeforeT { get; }
}

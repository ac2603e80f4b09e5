using Taba.Diffusion.Schedules;

namespace Taba.Diffusion.Tests.Engine;

/// <summary>ᾱ falls evenly from 0.99 to 0.04; enough of a schedule for an engine.</summary>
sealed class ToySchedule(int steps, PredictionRule rule = PredictionRule.ClampAndRederive) : IDiffusionSchedule
{
    public int NumInferenceSteps { get; } = steps;

    public int MaxForwardBeforeT => NumInferenceSteps - 1;

    public PredictionRule Rule(Direction direction) => rule;

    public DdimStep Step(Direction direction, int k)
    {
        var level = direction == Direction.Sampling ? NumInferenceSteps - 1 - k : k;
        var next = direction == Direction.Sampling ? level - 1 : level + 1;
        return new DdimStep(level * 10f, AlphaBar(level), next < 0 ? 1 : next == NumInferenceSteps ? 0 : AlphaBar(next));
    }

    public double ForwardAlphaBar(int forwardBeforeT) => AlphaBar(forwardBeforeT);

    double AlphaBar(int level) => 0.99 - (0.95 * level / NumInferenceSteps);
}

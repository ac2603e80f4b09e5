namespace Taba.Diffusion.Metrics.Analyses;

/// <summary>What the tensors of all steps are in a run.</summary>
public enum TrajectoryRole
{
    /// <summary>The state after each step of sampling; the noise is not among them.</summary>
    SamplingStates,

    /// <summary>The noise that each step of sampling used.</summary>
    SamplingPredictions,

    /// <summary>The state after each step of inversion; the sample is not among them.</summary>
    InversionStates,

    /// <summary>The noise that each step of inversion used.</summary>
    InversionPredictions,
}

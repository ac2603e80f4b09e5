using Taba.Diffusion.Schedules;

namespace Taba.Diffusion.Models;

/// <summary>A model with guided-diffusion's schedule, described by a model.json: adm and gaussian.</summary>
public abstract record GuidedDiffusionDefinition : ModelDefinition
{
    /// <summary>Steps of the forward process that the model was trained for.</summary>
    public required int DiffusionSteps { get; init; }

    public required NoiseSchedule NoiseSchedule { get; init; }

    /// <summary>True when the network receives the step times 1000 / <see cref="DiffusionSteps"/>.</summary>
    public required bool RescaleTimesteps { get; init; }

    /// <summary>The checkpoint, absolute; null when the family has none or the file names none.</summary>
    public string? WeightsPath { get; init; }

    /// <summary>
    /// Fields that decide the numbers, that no checkpoint tells, and that the model.json leaves out: each with what is assumed.
    /// </summary>
    public IReadOnlyList<string> Assumed { get; init; } = [];

    /// <summary>Fields whose values were guessed when the model.json was made from a checkpoint, and that nobody confirmed yet.</summary>
    public IReadOnlyList<string> Unconfirmed { get; init; } = [];

    /// <summary>The schedule in words.</summary>
    public string ScheduleText =>
        $"{DiffusionSteps} diffusion steps, noise schedule {(NoiseSchedule == NoiseSchedule.Linear ? "linear" : "cosine")}, timesteps "
        + (RescaleTimesteps ? "rescaled to 0 .. 1000" : "not rescaled");

    public override int TrainingSteps => DiffusionSteps;

    public override UpstreamPrecision Upstream => UpstreamPrecision.Single;

    public override string Canonical =>
        $"{Architecture} shape={Shape} diffusion_steps={DiffusionSteps} "
        + $"noise_schedule={(NoiseSchedule == NoiseSchedule.Linear ? "linear" : "cosine")} rescale_timesteps={RescaleTimesteps}";

    /// <summary>True when upstream runs this family too, so that its rounding is part of the numbers to be reproduced.</summary>
    protected virtual bool HasUpstreamNumbers => true;

    /// <summary>The family and what is special to it, in one line.</summary>
    protected abstract string Architecture { get; }

    public override string? WhyNot(int numInferenceSteps)
    {
        if (AdmSchedule.IsLegal(DiffusionSteps, numInferenceSteps))
            return null;
        var near = AdmSchedule.LegalNumInferenceSteps(DiffusionSteps).OrderBy(t => Math.Abs((long)t - numInferenceSteps)).Take(4).Order();
        return $"it has {DiffusionSteps} diffusion steps, of which no integer stride keeps exactly {numInferenceSteps}; "
            + $"the nearest that can be had are {string.Join(", ", near)}";
    }

    /// <remarks>ADM's forward replacement is consistent as it is.</remarks>
    public override IDiffusionSchedule CreateSchedule(int numInferenceSteps, bool consistentForward = false) =>
        new AdmSchedule(DiffusionSteps, NoiseSchedule, RescaleTimesteps, numInferenceSteps, HasUpstreamNumbers);
}

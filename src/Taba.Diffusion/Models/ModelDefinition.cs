using Taba.Diffusion.Schedules;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models;

/// <summary>A model as its model.json describes it: enough to plan with, and to build the network from. Immutable.</summary>
public abstract record ModelDefinition
{
    /// <summary>A short name: the folder's for a file called model.json, else the file's.</summary>
    public required string Name { get; init; }

    /// <summary>"adm" or "gaussian".</summary>
    public abstract string Family { get; }

    /// <summary>The state of one sample.</summary>
    public required StateShape Shape { get; init; }

    /// <summary>Classes of a class-conditional model; null when it is unconditional.</summary>
    public virtual int? ClassCount => null;

    /// <summary>Steps of the forward process that the model was trained for.</summary>
    public required int DiffusionSteps { get; init; }

    public required NoiseSchedule NoiseSchedule { get; init; }

    /// <summary>Whether the network receives the step times 1000 / <see cref="DiffusionSteps"/>.</summary>
    public required bool RescaleTimesteps { get; init; }

    /// <summary>Whether the checkpoint is meant to run with a float16 torso.</summary>
    public virtual bool UseFp16 => false;

    /// <summary>The checkpoint, absolute; null when the family has none or the file names none.</summary>
    public string? WeightsPath { get; init; }

    /// <summary>Whether <see cref="Build"/> needs weights.</summary>
    public abstract bool NeedsWeights { get; }

    /// <summary>The parameters that the weights must hold, exactly: name and shape. Empty when there are none.</summary>
    public abstract IReadOnlyList<KeyValuePair<string, long[]>> Parameters { get; }

    /// <summary>
    /// One line that says all that the numbers depend on besides the weights: equal models have equal lines. For digests.
    /// </summary>
    public string Canonical =>
        $"{Architecture} shape={Shape} diffusion_steps={DiffusionSteps} "
        + $"noise_schedule={(NoiseSchedule == NoiseSchedule.Linear ? "linear" : "cosine")} rescale_timesteps={RescaleTimesteps}";

    /// <summary>Whether upstream runs this family too, so that its rounding is part of the numbers to be reproduced.</summary>
    protected virtual bool HasUpstreamNumbers => true;

    /// <summary>The family and what is special to it, in one line.</summary>
    protected abstract string Architecture { get; }

    /// <summary>The noise levels of T inference steps.</summary>
    /// <exception cref="ArgumentException">T cannot be had of <see cref="DiffusionSteps"/>.</exception>
    public IDiffusionSchedule CreateSchedule(int numInferenceSteps) =>
        new AdmSchedule(DiffusionSteps, NoiseSchedule, RescaleTimesteps, numInferenceSteps, HasUpstreamNumbers);

    /// <summary>The same model on states of another height and width.</summary>
    /// <exception cref="ArgumentException">The network cannot work at that size.</exception>
    public abstract ModelDefinition WithSampleSize(int height, int width);

    /// <summary>Builds the network on a device.</summary>
    /// <param name="weights">The checkpoint; null exactly for a family without weights. Not needed after the call.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="networkDtype">float32, float16 or bfloat16.</param>
    /// <exception cref="WeightsMismatchException">The checkpoint is of another architecture.</exception>
    /// <exception cref="ArgumentException">Weights are missing, or the type is none that a network computes in.</exception>
    public abstract IDenoiser Build(IWeightSource? weights, Device device, ScalarType networkDtype);
}

using Taba.Diffusion.Conditions;
using Taba.Diffusion.Models.Autoencoders;
using Taba.Diffusion.Models.TextEncoders;
using Taba.Diffusion.Schedules;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models;

/// <summary>A model as its description has it: enough to plan with, and to build the network from. Immutable.</summary>
public abstract record ModelDefinition
{
    /// <summary>A short name: the folder's, or the file's when it is not called model.json.</summary>
    public required string Name { get; init; }

    /// <summary>adm, gaussian, ldm, dit or if.</summary>
    public abstract string Family { get; }

    /// <summary>The state of one sample.</summary>
    public required StateShape Shape { get; init; }

    /// <summary>Classes of a class-conditional model; null when it takes none.</summary>
    public virtual int? ClassCount => null;

    /// <summary>The embedded prompts that it takes; null when it takes none.</summary>
    public virtual TextShape? TextShape => null;

    /// <summary>True when it can be guided: it has a prediction without condition.</summary>
    public virtual bool CanBeGuided => TextShape is not null;

    /// <summary>The autoencoder that turns its states into pictures; null when they are pictures themselves.</summary>
    public virtual AutoencoderDefinition? Autoencoder => null;

    /// <summary>True when a given file decides height and width of the state, as in upstream's LDM scripts.</summary>
    public virtual bool SizeFollowsInputs => false;

    /// <summary>Network, state and noise as upstream has them on a GPU. Noise is drawn so everywhere.</summary>
    public abstract UpstreamPrecision Upstream { get; }

    /// <summary>True when states may be kept in half precision.</summary>
    public virtual bool AllowsHalfState => false;

    /// <summary>The steps of the process that the model was trained for.</summary>
    public abstract int TrainingSteps { get; }

    /// <summary>
    /// One line that says all that the numbers depend on besides the weights: equal models have equal lines. For digests.
    /// </summary>
    public abstract string Canonical { get; }

    /// <summary>The network's parameters: name and shape. Empty when there are none.</summary>
    public abstract IReadOnlyList<KeyValuePair<string, long[]>> Parameters { get; }

    /// <summary>The parameters of every part that a run loads: the network, its autoencoder, its text encoder.</summary>
    public virtual long ParametersInAll => Count(Parameters) + (Autoencoder is { } autoencoder ? Count(autoencoder.Parameters) : 0);

    /// <summary>True when <see cref="Load"/> needs weights.</summary>
    public virtual bool NeedsWeights => true;

    /// <summary>A sentence on why T inference steps cannot be had; null when they can.</summary>
    public abstract string? WhyNot(int numInferenceSteps);

    /// <summary>The noise levels of T inference steps.</summary>
    /// <param name="numInferenceSteps">T.</param>
    /// <param name="consistentForward">
    /// Forward replacement goes to the level that the next step expects, where upstream's is another.
    /// </param>
    /// <exception cref="ArgumentException">T cannot be had.</exception>
    public abstract IDiffusionSchedule CreateSchedule(int numInferenceSteps, bool consistentForward = false);

    /// <summary>The same model on states of another height and width.</summary>
    /// <exception cref="ArgumentException">The network cannot work at that size.</exception>
    public abstract ModelDefinition WithSampleSize(int height, int width);

    /// <summary>The files that hold the network's weights, in a fixed order.</summary>
    /// <param name="given">A file or folder that the user named instead of the model's own; null for that.</param>
    /// <exception cref="IOException">They are not there.</exception>
    /// <exception cref="WeightsFormatException">What is there is no set of weights.</exception>
    public abstract IReadOnlyList<string> WeightFiles(string? given);

    /// <summary>Compares names and shapes of the weights with <see cref="Parameters"/>.</summary>
    /// <exception cref="WeightsMismatchException">They differ.</exception>
    /// <exception cref="WeightsFormatException">The files are damaged.</exception>
    public abstract void CheckWeights(string? given);

    /// <summary>The names of its classes; only their number when they have none.</summary>
    /// <exception cref="InvalidOperationException">It takes no classes.</exception>
    public virtual ClassLabels Labels() =>
        ClassLabels.Unnamed(ClassCount ?? throw new InvalidOperationException($"Model {Name} takes no classes."));

    /// <summary>Loads what embeds prompts.</summary>
    /// <exception cref="InvalidOperationException">It takes no text.</exception>
    public virtual ITextEncoder LoadTextEncoder(Device device, ScalarType dtype) =>
        throw new InvalidOperationException($"Model {Name} takes no text.");

    /// <summary>Builds the network on a device.</summary>
    /// <param name="given">As <see cref="WeightFiles"/> takes it.</param>
    /// <param name="device">Where the network lives.</param>
    /// <param name="networkDtype">float32, float16 or bfloat16.</param>
    /// <param name="form">How the network is computed.</param>
    /// <exception cref="WeightsMismatchException">The weights are of another architecture.</exception>
    /// <exception cref="ArgumentException">Weights are missing, or the type is none that a network computes in.</exception>
    public abstract IDenoiser Load(string? given, Device device, ScalarType networkDtype, NetworkForm form = NetworkForm.Fast);

    /// <summary>The numbers that parameters of these shapes hold.</summary>
    protected static long Count(IEnumerable<KeyValuePair<string, long[]>> parameters) =>
        parameters.Sum(p => p.Value.Aggregate(1L, (product, length) => product * length));
}

/// <summary>The precisions that upstream uses for a family on a GPU.</summary>
public readonly record struct UpstreamPrecision(ScalarType Network, ScalarType State, ScalarType Noise)
{
    /// <summary>float32 throughout.</summary>
    public static UpstreamPrecision Single => new(ScalarType.Float32, ScalarType.Float32, ScalarType.Float32);

    /// <summary>float16 throughout.</summary>
    public static UpstreamPrecision Half => new(ScalarType.Float16, ScalarType.Float16, ScalarType.Float16);
}

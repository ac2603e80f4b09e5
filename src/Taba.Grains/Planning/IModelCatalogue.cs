using Taba.Grains.Sweeps;

namespace Taba.Grains.Planning;

/// <summary>The planner's questions about models. It reads files and loads nothing.</summary>
public interface IModelCatalogue
{
    /// <summary>Finds a model and reads its architecture and the digest of its weights.</summary>
    /// <exception cref="BadInputException">Unknown name, missing or corrupt file, weights that do not fit.</exception>
    ModelFacts Resolve(ModelSelection selection);
}

/// <summary>The kinds of conditions that a model takes.</summary>
public enum ConditionKind
{
    None,

    /// <summary>A class id a row.</summary>
    Classes,

    /// <summary>A prompt a row.</summary>
    Text,
}

/// <summary>The autoencoder of a latent model.</summary>
/// <param name="Model">Its identity; the shape is that of the latents.</param>
/// <param name="Pictures">The shape of what it decodes them to.</param>
public sealed record AutoencoderFacts(ModelIdentity Model, StateShape Pictures);

/// <summary>The facts of one model that the planner needs.</summary>
public abstract class ModelFacts
{
    public required ModelIdentity Identity { get; init; }

    /// <summary>A short name for folders.</summary>
    public required string Slug { get; init; }

    public ConditionKind Conditions { get; init; }

    /// <summary>Classes of a class-conditional model; null when it takes none.</summary>
    public int? ClassCount { get; init; }

    /// <summary>Digest of the class names; of their number alone when they have none.</summary>
    public string LabelsDigest { get; init; } = "";

    /// <summary>True when it has a prediction without condition, to guide away from.</summary>
    public bool CanBeGuided { get; init; }

    /// <summary>Null when the state is a picture itself.</summary>
    public AutoencoderFacts? Autoencoder { get; init; }

    /// <summary>True when a given file decides height and width of the state.</summary>
    public bool SizeFollowsInputs { get; init; }

    /// <summary>Null when T steps are possible, else a sentence that says why not and what would do.</summary>
    public abstract string? WhyNot(int numInferenceSteps);

    /// <summary>The largest K of forward replacement.</summary>
    public abstract int MaxForwardBefore(int numInferenceSteps);

    /// <summary>Settles <c>auto</c>.</summary>
    /// <exception cref="BadInputException">A precision that this model cannot run in.</exception>
    public abstract Precision Resolve(PrecisionRequest request);

    /// <summary>The id of a class, by name or number.</summary>
    /// <exception cref="BadInputException">There is none; the nearest names are given.</exception>
    public virtual long ClassId(string label) =>
        throw new BadInputException($"labels has '{label}': model {Slug} has no class names; give ids with --input_cond_path.");

    /// <summary>The same model on states of another size.</summary>
    /// <exception cref="BadInputException">It cannot work at that size.</exception>
    public abstract ModelFacts WithSampleSize(int height, int width);
}

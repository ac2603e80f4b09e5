using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Planning;

/// <summary>What the planner asks about models. It reads files and loads nothing.</summary>
public interface IModelCatalogue
{
    /// <summary>Finds a model and reads its architecture and the digest of its weights.</summary>
    /// <exception cref="BadInputException">Unknown name, missing or corrupt file, weights that do not fit.</exception>
    ModelFacts Resolve(ModelSelection selection);
}

/// <summary>What the planner needs to know of one model.</summary>
public abstract class ModelFacts
{
    public required ModelIdentity Identity { get; init; }

    /// <summary>A short name for folders.</summary>
    public required string Slug { get; init; }

    /// <summary>Null when the model is unconditional.</summary>
    public required int? ClassCount { get; init; }

    /// <summary>Null when T steps are possible, else a sentence that says why not and what would do.</summary>
    public abstract string? WhyNot(int numInferenceSteps);

    /// <summary>The largest K of forward replacement.</summary>
    public abstract int MaxForwardBefore(int numInferenceSteps);

    /// <summary>Settles <c>auto</c>.</summary>
    /// <exception cref="BadInputException">A precision that this model cannot run in.</exception>
    public abstract Precision Resolve(PrecisionRequest request);
}

/// <summary>What the planner asks about tensor files that the user gives.</summary>
public interface IInputFiles
{
    /// <exception cref="BadInputException">Missing, unreadable or not one tensor.</exception>
    InputTensor Describe(string path);
}

/// <summary>A tensor in a file.</summary>
/// <param name="Shape">Its shape.</param>
/// <param name="Dtype">float32, int64, ...</param>
/// <param name="Digest">SHA-256 of its bytes.</param>
public sealed record InputTensor(string Path, IReadOnlyList<long> Shape, string Dtype, string Digest);

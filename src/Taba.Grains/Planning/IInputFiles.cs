using Taba.Grains.Sweeps;

namespace Taba.Grains.Planning;

/// <summary>The planner's questions about files that the user gives.</summary>
public interface IInputFiles
{
    /// <exception cref="BadInputException">Missing, unreadable or not one tensor.</exception>
    InputTensor Describe(string path);

    /// <summary>True when a path looks like a picture or a folder of pictures.</summary>
    bool ArePictures(string path) => false;

    /// <summary>Pictures, to be brought to a size.</summary>
    /// <exception cref="BadInputException">Missing, unreadable, or none are there.</exception>
    ImageRows DescribePictures(string path, int height, int width) =>
        throw new BadInputException($"{path} is a folder: give a tensor file.");

    /// <summary>Prompts drawn from a source, or one a row of a file.</summary>
    /// <param name="request">What the user asks for.</param>
    /// <param name="samples">
    /// Rows that are wanted when the request does not say how many prompts; null with a file of one prompt a row.
    /// </param>
    /// <exception cref="BadInputException">Missing, empty, or fewer prompts than are asked for.</exception>
    PromptRows DescribePrompts(ConditionRequest request, int samples) =>
        throw new BadInputException("Prompts cannot be read here.");

    /// <summary>The weights of a network that pictures are measured by, checked and not loaded.</summary>
    /// <returns>The weights, and how many values of a picture are kept where sets are compared by them; 0 of other networks.</returns>
    /// <exception cref="BadInputException">Missing, damaged, or of another architecture.</exception>
    (FeatureFile File, int Values) DescribeFeatures(string network, string path) =>
        throw new BadInputException("Networks cannot be read here.");

    /// <summary>What samples are compared with as a set.</summary>
    /// <exception cref="BadInputException">Missing, unreadable, or no pictures.</exception>
    PictureSet DescribeReference(string path) => throw new BadInputException("Pictures cannot be read here.");
}

/// <summary>A tensor in a file.</summary>
/// <param name="Shape">Its shape.</param>
/// <param name="Dtype">float32, int64, ...</param>
/// <param name="Digest">SHA-256 of its bytes.</param>
public sealed record InputTensor(string Path, IReadOnlyList<long> Shape, string Dtype, string Digest)
{
    /// <summary>The least and the greatest value of int64 [N], each with the first row that has it; null for any other tensor.</summary>
    public (long Least, long LeastRow, long Most, long MostRow)? Range { get; init; }
}

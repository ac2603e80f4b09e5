using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Taba.Diffusion.Weights;

/// <summary>Named tensors of a checkpoint, read one at a time. Safe for one reader at a time.</summary>
public interface IWeightSource
{
    /// <summary>The source of the weights, for messages: a path or a name.</summary>
    string Description { get; }

    /// <summary>The names of all tensors, exactly as the checkpoint spells them.</summary>
    IReadOnlyCollection<string> Names { get; }

    /// <summary>The shape of a tensor; false when there is none of that name.</summary>
    bool TryGetShape(string name, [NotNullWhen(true)] out long[]? shape);

    /// <summary>Loads one tensor as a contiguous copy that belongs to the caller.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="dtype">The element type wanted; the stored one is converted.</param>
    /// <param name="device">Where the copy goes.</param>
    /// <exception cref="KeyNotFoundException">There is no tensor of that name.</exception>
    /// <exception cref="WeightsFormatException">The file is damaged.</exception>
    Tensor Load(string name, ScalarType dtype, Device device);
}

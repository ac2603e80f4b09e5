using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Features;

/// <summary>Loads the parameters of a network of features, in float32: a metric is measured, not sped up.</summary>
static class FeatureParameters
{
    /// <summary>The parameters that are named; others of the checkpoint are passed over.</summary>
    /// <exception cref="WeightsMismatchException">One is missing, or has another shape.</exception>
    internal static ParameterSet Load(IWeightSource weights, IReadOnlyList<KeyValuePair<string, long[]>> expected, Device device)
    {
        ArgumentNullException.ThrowIfNull(weights);
        ArgumentNullException.ThrowIfNull(device);
        var some = new SomeWeights(weights, expected.Select(parameter => parameter.Key));
        return ParameterSet.Load(some, expected, device, ScalarType.Float32, loaded => new ParameterSet(loaded));
    }

    /// <summary>Checks names and shapes, without loading.</summary>
    /// <exception cref="WeightsMismatchException">A parameter is missing, or has another shape.</exception>
    internal static void Require(IWeightSource weights, IReadOnlyList<KeyValuePair<string, long[]>> expected) =>
        WeightsMismatchException.ThrowIfDifferent(new SomeWeights(weights, expected.Select(parameter => parameter.Key)), expected);

    /// <summary>Checks that pictures are [B,3,H,W] of a least size.</summary>
    /// <exception cref="ArgumentException">They are not.</exception>
    internal static void RequirePictures(Tensor pictures, int leastSide, string network)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        var shape = pictures.shape;
        if (shape.Length != 4 || shape[1] != 3 || shape[2] < leastSide || shape[3] < leastSide)
            throw new ArgumentException(
                $"{network} takes pictures [B,3,H,W] of {leastSide} pixels or more along each side, not [{string.Join(",", shape)}].",
                nameof(pictures));
    }
}

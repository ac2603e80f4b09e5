using System.Diagnostics.CodeAnalysis;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Features;

/// <summary>
/// Those tensors of a checkpoint that a network of features needs: classifiers hold their last layers, others buffers that can be worked
/// out. What is missing or of another shape is found as ever.
/// </summary>
sealed class SomeWeights(IWeightSource source, IEnumerable<string> names) : IWeightSource
{
    readonly HashSet<string> _names = [.. source.Names.Intersect(names)];

    public string Description => source.Description;

    public IReadOnlyCollection<string> Names => _names;

    public bool TryGetShape(string name, [NotNullWhen(true)] out long[]? shape)
    {
        shape = null;
        return _names.Contains(name) && source.TryGetShape(name, out shape);
    }

    public Tensor Load(string name, ScalarType dtype, Device device) => source.Load(name, dtype, device);
}

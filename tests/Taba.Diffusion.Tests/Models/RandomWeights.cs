using System.Diagnostics.CodeAnalysis;
using Taba.Diffusion.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Models;

/// <summary>Reproducible weights of any architecture, scaled so that activations stay near 1.</summary>
sealed class RandomWeights(IEnumerable<KeyValuePair<string, long[]>> parameters) : IWeightSource
{
    readonly Dictionary<string, long[]> _shapes = new(parameters);

    public string Description => "random weights";

    public IReadOnlyCollection<string> Names => _shapes.Keys;

    public bool TryGetShape(string name, [NotNullWhen(true)] out long[]? shape) => _shapes.TryGetValue(name, out shape);

    public Tensor Load(string name, ScalarType dtype, Device device)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)name.Length);
        var shape = _shapes[name];
        var fanIn = shape.Skip(1).Aggregate(1L, (a, b) => a * b);
        using var root = Math.Sqrt(fanIn).ToScalar();
        return randn(shape, generator: generator).div(root).to(dtype).to(device).MoveToOuterDisposeScope();
    }

    public RandomWeights With(string name, params long[] shape) =>
        new(_shapes.Where(p => p.Key != name).Append(new(name, shape)));

    public RandomWeights Without(string name) => new(_shapes.Where(p => p.Key != name));
}

using System.Diagnostics.CodeAnalysis;
using Taba.Diffusion.Models.Adm;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.DemoModel;

/// <summary>All parameters of the network in one float32 vector, so that the optimiser's arithmetic is a few long operations.</summary>
sealed class FlatParameters : IWeightSource, IDisposable
{
    readonly Dictionary<string, (long Offset, long[] Shape)> _places = new(StringComparer.Ordinal);

    public FlatParameters(string description)
    {
        Description = description;
        foreach (var (name, shape) in AdmParameters.Expected(DemoArchitecture.Config))
        {
            _places.Add(name, (Count, shape));
            Count += shape.Aggregate(1L, (a, b) => a * b);
        }

        Values = zeros(Count).DetachFromDisposeScope();
    }

    public string Description { get; }

    public IReadOnlyCollection<string> Names => _places.Keys;

    public long Count { get; }

    /// <summary>[<see cref="Count"/>], float32.</summary>
    public Tensor Values { get; }

    public bool TryGetShape(string name, [NotNullWhen(true)] out long[]? shape)
    {
        shape = _places.TryGetValue(name, out var place) ? place.Shape : null;
        return shape is not null;
    }

    public Tensor Load(string name, ScalarType dtype, Device device)
    {
        using var scope = NewDisposeScope();
        return View(name).to(dtype, copy: true).to(device).MoveToOuterDisposeScope();
    }

    /// <summary>A parameter that shares its memory with <see cref="Values"/>.</summary>
    public Tensor View(string name)
    {
        var (offset, shape) = _places[name];
        using var flat = Values.narrow(0, offset, shape.Aggregate(1L, (a, b) => a * b));
        return flat.view(shape);
    }

    /// <summary>
    /// Draws the starting values: uniform within 1/sqrt(fan-in) as is usual, ones for normalisations, and zero for the layers
    /// that end a residual branch, so that the network begins as the identity.
    /// </summary>
    public void Initialise(ulong seed)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        using var generator = new Generator(seed);
        foreach (var (name, (_, shape)) in _places)
        {
            var parameter = View(name);
            if (IsNorm(name))
                parameter.fill_(name.EndsWith("weight", StringComparison.Ordinal) ? Scalars.One : Scalars.Zero);
            else if (EndsBranch(name))
                parameter.zero_();
            else
                parameter.copy_(Uniform(name, shape, generator));
        }
    }

    public void Dispose() => Values.Dispose();

    Tensor Uniform(string name, long[] shape, Generator generator)
    {
        var weight = _places[name.Replace(".bias", ".weight", StringComparison.Ordinal)].Shape;
        var bound = 1 / Math.Sqrt(weight.Skip(1).Aggregate(1L, (a, b) => a * b));
        using var width = (2 * bound).ToScalar();
        using var half = bound.ToScalar();
        return rand(shape, generator: generator).mul(width).sub(half);
    }

    static bool IsNorm(string name) =>
        name.Contains("_layers.0.", StringComparison.Ordinal)
        || name.Contains(".norm.", StringComparison.Ordinal)
        || name.StartsWith("out.0.", StringComparison.Ordinal);

    static bool EndsBranch(string name) =>
        name.Contains(".out_layers.3.", StringComparison.Ordinal)
        || name.Contains(".proj_out.", StringComparison.Ordinal)
        || name.StartsWith("out.2.", StringComparison.Ordinal);
}

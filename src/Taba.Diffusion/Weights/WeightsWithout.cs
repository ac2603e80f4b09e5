using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Taba.Diffusion.Weights;

/// <summary>A source without one of its tensors: something stored that is no parameter.</summary>
sealed class WeightsWithout : IWeightSource
{
    readonly IWeightSource source;
    readonly string hidden;

    WeightsWithout(IWeightSource source, string hidden)
    {
        this.source = source;
        this.hidden = hidden;
        Names = [.. source.Names.Where(name => name != hidden)];
    }

    public string Description => source.Description;

    public IReadOnlyCollection<string> Names { get; }

    /// <summary>The source itself when it has no such tensor.</summary>
    public static IWeightSource Over(IWeightSource source, string hidden)
    {
        ArgumentNullException.ThrowIfNull(source);
        return source.TryGetShape(hidden, out _) ? new WeightsWithout(source, hidden) : source;
    }

    public bool TryGetShape(string name, [NotNullWhen(true)] out long[]? shape)
    {
        shape = null;
        return name != hidden && source.TryGetShape(name, out shape);
    }

    public Tensor Load(string name, ScalarType dtype, Device device) =>
        name != hidden ? source.Load(name, dtype, device) : throw new KeyNotFoundException($"{Description} holds no parameter '{name}'.");
}

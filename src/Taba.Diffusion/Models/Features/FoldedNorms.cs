using System.Diagnostics.CodeAnalysis;
using Taba.Diffusion.Native;
using Taba.Diffusion.Weights;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Features;

/// <summary>
/// Convolutions without a bias, each followed by a batch normalisation, as convolutions with one: in inference the normalisation is a
/// factor and a summand a channel, worked out in float64.
/// </summary>
/// <param name="source">Has <c>P.conv.weight</c> and <c>P.bn.weight, bias, running_mean, running_var</c> for each prefix P.</param>
/// <param name="prefixes">Of the convolutions; other names are handed on.</param>
/// <param name="eps">Of the normalisations.</param>
sealed class FoldedNorms(IWeightSource source, IReadOnlyCollection<string> prefixes, double eps) : IWeightSource
{
    static readonly string[] s_parts = ["conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"];

    readonly HashSet<string> _prefixes = [.. prefixes];

    public string Description => source.Description;

    public IReadOnlyCollection<string> Names { get; } =
    [
        .. source.Names.Where(name => !prefixes.Any(prefix => name.StartsWith(prefix + ".", StringComparison.Ordinal))),
        .. prefixes.Where(prefix => s_parts.All(part => source.Names.Contains($"{prefix}.{part}")))
            .SelectMany(prefix => new[] { $"{prefix}.weight", $"{prefix}.bias" }),
    ];

    public bool TryGetShape(string name, [NotNullWhen(true)] out long[]? shape)
    {
        if (Prefix(name) is not { } prefix)
            return source.TryGetShape(name, out shape);
        var isWeight = name.EndsWith(".weight", StringComparison.Ordinal);
        return source.TryGetShape($"{prefix}.{(isWeight ? "conv.weight" : "bn.bias")}", out shape);
    }

    public Tensor Load(string name, ScalarType dtype, Device device)
    {
        if (Prefix(name) is not { } prefix)
            return source.Load(name, dtype, device);

        using var scope = NewDisposeScope();
        using var added = eps.ToScalar();
        var factor = Wide("bn.weight").div(Wide("bn.running_var").add(added, Scalars.One).sqrt());
        var folded = name.EndsWith(".weight", StringComparison.Ordinal)
            ? Wide("conv.weight").mul(factor.reshape(-1, 1, 1, 1))
            : Wide("bn.bias").sub(Wide("bn.running_mean").mul(factor));
        return folded.to(dtype).to(device).MoveToOuterDisposeScope();

        Tensor Wide(string part) => source.Load($"{prefix}.{part}", ScalarType.Float64, CPU);
    }

    string? Prefix(string name)
    {
        var prefix = name[..Math.Max(0, name.LastIndexOf('.'))];
        return _prefixes.Contains(prefix) ? prefix : null;
    }
}

using System.Diagnostics.CodeAnalysis;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Dit;

/// <summary>A checkpoint without the table of positions, which some store although it follows from the config.</summary>
sealed class DitWeightNames(IWeightSource source) : IWeightSource
{
    const string Table = "pos_embed.pos_embed";

    public string Description => source.Description;

    public IReadOnlyCollection<string> Names { get; } = [.. source.Names.Where(name => name != Table)];

    public bool TryGetShape(string name, [NotNullWhen(true)] out long[]? shape)
    {
        shape = null;
        return name != Table && source.TryGetShape(name, out shape);
    }

    public Tensor Load(string name, ScalarType dtype, Device device) => name != Table
        ? source.Load(name, dtype, device)
        : throw new KeyNotFoundException($"{Description}: '{Table}' is computed, not loaded.");
}

using System.Diagnostics.CodeAnalysis;
using Taba.Diffusion.Weights;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.TextEncoders;

/// <summary>
/// A T5 checkpoint with its token embedding under one name. The two names are one tied tensor, of which a checkpoint holds either
/// or both (safetensors keeps one, torch.save often both).
/// </summary>
sealed class T5EmbeddingNames : IWeightSource
{
    public const string Shared = "shared.weight";
    const string Tied = "encoder.embed_tokens.weight";

    readonly IWeightSource _source;
    readonly bool _renamed;

    public T5EmbeddingNames(IWeightSource source)
    {
        _source = source;
        _renamed = !source.TryGetShape(Shared, out _) && source.TryGetShape(Tied, out _);
        Names = [.. source.Names.Where(name => name != Tied), .. _renamed ? [Shared] : Array.Empty<string>()];
    }

    public string Description => _source.Description;

    public IReadOnlyCollection<string> Names { get; }

    public bool TryGetShape(string name, [NotNullWhen(true)] out long[]? shape) => _source.TryGetShape(Source(name), out shape);

    public Tensor Load(string name, ScalarType dtype, Device device) => _source.Load(Source(name), dtype, device);

    string Source(string name) => _renamed && name == Shared ? Tied : name;
}

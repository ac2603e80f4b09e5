using static TorchSharp.torch;

namespace Taba.Diffusion.Models;

/// <summary>The shape of a prompt's embedding: tokens by width.</summary>
public readonly record struct TextShape(int Length, int Width)
{
    /// <summary>Elements of one embedding.</summary>
    public long Elements => (long)Length * Width;

    public override string ToString() => $"{Length}x{Width}";
}

/// <summary>A prompt as a network takes it, in host memory. Immutable; rows of the same prompt share one.</summary>
/// <param name="Key">Names prompt and encoder: equal keys are equal embeddings.</param>
/// <param name="Values">[L,D] in <paramref name="Type"/>, little-endian.</param>
/// <param name="Type">float32, float16 or bfloat16.</param>
/// <param name="Shape">L and D.</param>
public sealed record TextEmbedding(string Key, ReadOnlyMemory<byte> Values, ScalarType Type, TextShape Shape);

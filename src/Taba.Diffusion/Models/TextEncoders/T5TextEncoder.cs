using static TorchSharp.torch;

namespace Taba.Diffusion.Models.TextEncoders;

/// <summary>T5's encoder with its tokenizer: prompts of 77 tokens, padding masked (docs/upstream.md, section 5.4).</summary>
sealed class T5TextEncoder(T5Tokenizer tokenizer, T5Encoder encoder, ScalarType dtype) : ITextEncoder
{
    public ReadOnlyMemory<byte> Encode(string prompt)
    {
        using var scope = NewDisposeScope();
        var (ids, mask) = tokenizer.Encode(prompt);
        var embedded = encoder.Forward(tensor(ids).unsqueeze(0).to(encoder.Device), tensor(mask).unsqueeze(0).to(encoder.Device));
        return embedded.to(dtype).cpu().contiguous().bytes.ToArray();
    }

    public void Dispose() => encoder.Dispose();
}

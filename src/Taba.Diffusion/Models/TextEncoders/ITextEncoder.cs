namespace Taba.Diffusion.Models.TextEncoders;

/// <summary>A text encoder with its tokenizer, on a device. Used by one thread, in inference mode.</summary>
public interface ITextEncoder : IDisposable
{
    /// <summary>Embeds one prompt.</summary>
    /// <returns>[L,D] in the encoder's type, little-endian.</returns>
    ReadOnlyMemory<byte> Encode(string prompt);
}

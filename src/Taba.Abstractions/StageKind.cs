namespace Taba;

/// <summary>The kinds of stages.</summary>
public enum StageKind
{
    /// <summary>Noise to images.</summary>
    Sample,

    /// <summary>Images to latents.</summary>
    Invert,

    /// <summary>Latents to images.</summary>
    Reconstruct,

    /// <summary>States of a latent model to pictures, by its autoencoder.</summary>
    Decode,

    /// <summary>Pictures to states of a latent model, by its autoencoder.</summary>
    Encode,

    /// <summary>Tensors of a run to what analyses keep of them.</summary>
    Measure,
}

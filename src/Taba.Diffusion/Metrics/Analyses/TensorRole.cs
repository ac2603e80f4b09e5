namespace Taba.Diffusion.Metrics.Analyses;

/// <summary>What a tensor is in a run.</summary>
public enum TensorRole
{
    /// <summary>x_T, from which samples were made.</summary>
    Noise,

    /// <summary>x̂_T, to which samples were inverted.</summary>
    Latents,

    /// <summary>x_0 as the sampler left it: of a latent model no picture.</summary>
    Samples,

    /// <summary>x̂_0, sampled from the latents.</summary>
    Reconstructions,

    /// <summary>Samples as pictures.</summary>
    Images,

    /// <summary>Reconstructions as pictures.</summary>
    ReconstructedImages,
}

using Taba.Grains.Sweeps;

namespace Taba.Grains.Planning;

/// <summary>The stages between the states of a latent model and pictures.</summary>
sealed class AutoencoderStages(ModelFacts model, StageSpec template, bool withDecoding)
{
    /// <summary>States to pictures; null when the states are pictures themselves, or pictures are not wanted.</summary>
    public StageSpec? Decode(RowsRef states) =>
        withDecoding && model.Autoencoder is { } autoencoder
        ? Stage(StageKind.Decode, autoencoder.Model, states, autoencoder.Pictures)
        : null;

    /// <summary>Pictures to states.</summary>
    public StageSpec Encode(RowsRef pictures)
    {
        var autoencoder = model.Autoencoder ?? throw new InvalidOperationException($"Model {model.Slug} has no autoencoder.");
        var (latents, shape) = (autoencoder.Model.Shape, autoencoder.Pictures);
        var encoder = autoencoder.Model with { Channels = shape.Channels, Height = shape.Height, Width = shape.Width };
        return Stage(StageKind.Encode, encoder, pictures, latents);
    }

    /// <summary>
    /// The images that upstream compares: decoded ones, except in LDM's scripts that begin with given latents, which compare those.
    /// </summary>
    public ImagePair ImagesOf(SweepSpec spec) =>
        withDecoding && model.Autoencoder is not null
        && (model.Identity.Family != "ldm" || spec.WithSampling) ? ImagePair.Decoded : ImagePair.States;

    /// <summary>A stage without steps: of the template's numbers only the network's precision matters.</summary>
    StageSpec Stage(StageKind kind, ModelIdentity autoencoder, RowsRef input, StateShape output) => new()
    {
        Kind = kind,
        Model = autoencoder,
        NumInferenceSteps = 0,
        Precision = new(template.Precision.Network, Dtype.Float32, Dtype.Float32),
        Input = input,
        Determinism = template.Determinism,
        Output = output,
    };
}

using Taba.Diffusion.Metrics.Features;
using Taba.Diffusion.Models.Features;

namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>
/// What analyses of pictures are made with; remembers features of the reference, and of the run that was asked for last, so that FID, KID
/// and the Inception Score put each picture through the network once. Not thread-safe.
/// </summary>
/// <param name="weights">Networks that the user has.</param>
/// <param name="pass">Where and how many at a time.</param>
public sealed class PictureSettings(FeatureWeights weights, PicturePass pass) : IDisposable
{
    readonly Dictionary<(FeatureNetwork Network, string Pictures), SpooledFeatures> _features = [];

    /// <summary>Networks that the user has.</summary>
    public FeatureWeights Weights => weights;

    /// <summary>Where and how many at a time.</summary>
    public PicturePass Pass => pass;

    /// <summary>What samples are compared with as a set; null when the user named none.</summary>
    public IPictures? Reference { get; init; }

    /// <summary>Statistics of a reference in place of its pictures, for FID; null when the user named none.</summary>
    public FeatureStatistics? Statistics { get; init; }

    /// <summary>What samples were to show, one a row; null for the run's own.</summary>
    public IReadOnlyList<string>? Prompts { get; init; }

    /// <summary>Features of all pictures of a set: of Inception with the logits behind them.</summary>
    internal SpooledFeatures Features(FeatureNetwork network, IPictures pictures, CancellationToken cancellation)
    {
        if (_features.TryGetValue((network, pictures.Identity), out var known))
            return known;
        var made = FeaturesOf(network, pictures, 0, pictures.Count, cancellation);
        Remember(network, pictures, made);
        return made;
    }

    /// <summary>Whether features of all pictures of a set are known.</summary>
    public bool Knows(FeatureNetwork network, IPictures pictures)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        return _features.ContainsKey((network, pictures.Identity));
    }

    /// <summary>Puts some pictures of a set through a network.</summary>
    /// <returns>Their features, in order, which are the caller's.</returns>
    /// <exception cref="InvalidDataException">There are none, or one is damaged.</exception>
    public SpooledFeatures FeaturesOf(FeatureNetwork network, IPictures pictures, long first, long count, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        SpooledFeatures? spooled = null;
        try
        {
            weights.Embedder(network, pass.Device).Run(
                pass, pictures, first, count,
                features => (spooled ??= new(features.Length / (int)Math.Min(pass.BatchSize, count))).Add(features), cancellation);
            return spooled ?? throw new InvalidDataException("There are no pictures.");
        }
        catch
        {
            spooled?.Dispose();
            throw;
        }
    }

    /// <summary>Takes features of all pictures of a set that were made elsewhere; they are freed with this object, or before.</summary>
    public void Remember(FeatureNetwork network, IPictures pictures, SpooledFeatures features)
    {
        ArgumentNullException.ThrowIfNull(pictures);
        Forget(key => key.Network == network && key.Pictures != Reference?.Identity && pictures.Identity != Reference?.Identity);
        _features[(network, pictures.Identity)] = features;
    }

    /// <summary>Mean and covariance of Inception's features.</summary>
    internal static GaussianMoments MomentsOf(SpooledFeatures features)
    {
        var moments = new GaussianMoments(InceptionFeatures.Width);
        foreach (var chunk in new FeatureColumns(features, 0, InceptionFeatures.Width).Chunks())
            moments.Add(chunk.Span);
        return moments;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Forget(_ => true);
        weights.Dispose();
    }

    void Forget(Func<(FeatureNetwork Network, string Pictures), bool> which)
    {
        foreach (var key in _features.Keys.Where(which).ToList())
        {
            _features[key].Dispose();
            _features.Remove(key);
        }
    }
}

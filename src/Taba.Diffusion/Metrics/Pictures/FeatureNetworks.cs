namespace Taba.Diffusion.Metrics.Pictures;

/// <summary>How networks are named.</summary>
public static class FeatureNetworks
{
    /// <summary>All names, in lower case.</summary>
    public static IReadOnlyList<string> Words { get; } = [.. Enum.GetValues<FeatureNetwork>().Select(Word)];

    /// <summary>A network's name.</summary>
    public static string Word(this FeatureNetwork network) => network.ToString().ToLowerInvariant();

    /// <summary>The network of a name.</summary>
    /// <exception cref="ArgumentException">There is none.</exception>
    public static FeatureNetwork Of(string word) => Words.Contains(word)
        ? Enum.Parse<FeatureNetwork>(word, ignoreCase: true)
        : throw new ArgumentException($"There is no network {word}.", nameof(word));
}

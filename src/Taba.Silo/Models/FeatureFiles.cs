using Taba.Diffusion.Metrics.Pictures;
using Taba.Diffusion.Weights;
using Taba.Grains;

namespace Taba.Silo.Models;

/// <summary>Weights of networks that pictures are measured by: checks them and names them by their digests. Loads none.</summary>
/// <param name="digestCacheFile">Where digests are remembered by path, size and time; null remembers nothing.</param>
/// <param name="readOnly">New digests are not written down.</param>
public sealed class FeatureFiles(string? digestCacheFile, bool readOnly = false)
{
    /// <summary>The weights at a path.</summary>
    /// <returns>They, and the values of a picture that are kept where sets are compared by them.</returns>
    /// <exception cref="BadInputException">A file is missing, damaged, or of another network.</exception>
    public (FeatureFile File, int Values) Describe(string network, string path)
    {
        var full = Path.GetFullPath(path);
        var which = FeatureNetworks.Of(network);
        try
        {
            using (var weights = new FeatureWeights(new Dictionary<FeatureNetwork, string> { [which] = full }))
                weights.Check();
            return (new(network, full, DigestOf(which, full)), FeatureWeights.ValuesOf(which));
        }
        catch (Exception exception) when (exception is InvalidDataException or WeightsFormatException or WeightsMismatchException
            or IOException or UnauthorizedAccessException)
        {
            throw new BadInputException($"features.{network}: {exception.Message}", exception);
        }
    }

    /// <summary>Makes sure that weights of a plan are on this machine, where its planner found them.</summary>
    /// <exception cref="BadInputException">They are not, or others are.</exception>
    public void Require(FeatureFile wanted)
    {
        string found;
        try
        {
            var digest = DigestOf(FeatureNetworks.Of(wanted.Network), wanted.Path);
            if (digest == wanted.Digest)
                return;
            found = $"another one, {digest}";
        }
        catch (Exception exception) when (exception is InvalidDataException or WeightsFormatException or IOException
            or UnauthorizedAccessException or ArgumentException)
        {
            found = $"none ({exception.Message.TrimEnd('.')})";
        }
        throw new BadInputException(
            $"The sweep's network {wanted.Network} ({wanted.Digest}) is not on {Environment.MachineName}: at {wanted.Path} there is "
            + $"{found}. Put the same files there.");
    }

    string DigestOf(FeatureNetwork network, string path)
    {
        var files = FeatureWeights.FilesOf(network, path);
        return digestCacheFile is null
            ? WeightDigest.Combine([.. files.Select(file => WeightDigest.Compute(file))])
            : new WeightDigestCache(digestCacheFile, readOnly).Get(files);
    }
}

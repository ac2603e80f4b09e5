using System.Text.RegularExpressions;
using Taba.Client.Folders;
using Taba.Diffusion.Conditions;
using Taba.Diffusion.Metrics.Pictures;
using Taba.Diffusion.Weights;
using Taba.Grains;
using Taba.Grains.Words;

namespace Taba.Client.Measuring;

/// <summary>
/// What a user named for analyses of pictures: weights of networks, a reference, prompts. Everything is checked, nothing loaded.
/// </summary>
sealed partial class MeasuredPictures : IDisposable
{
    readonly TensorFileRows? _reference;

    MeasuredPictures(PictureSettings settings, TensorFileRows? reference) => (Settings, _reference) = (settings, reference);

    /// <summary>Names of networks, for help.</summary>
    public static string Networks => string.Join(", ", FeatureNetworks.Words);

    public PictureSettings Settings { get; }

    /// <param name="features">Such as <c>inception=FILE,clip=DIR</c>; null for none.</param>
    /// <param name="reference">A folder of pictures, the file of a tensor, or .npz with mu and sigma; null for none.</param>
    /// <param name="prompts">A file of prompts; null for the runs' own.</param>
    /// <param name="pass">Where networks run.</param>
    /// <exception cref="BadInputException">Something is missing or damaged, or of another kind.</exception>
    public static MeasuredPictures Open(string? features, string? reference, string? prompts, PicturePass pass)
    {
        var weights = new FeatureWeights(Paths(features));
        try
        {
            weights.Check();
            var isStatistics = Path.GetExtension(reference) == ".npz";
            var (pictures, rows) = reference is null || isStatistics ? (null, null) : Reference(reference);
            var settings = new PictureSettings(weights, pass)
            {
                Reference = pictures,
                Statistics = isStatistics ? FeatureStatistics.Open(reference!) : null,
                Prompts = prompts is null ? null : PromptFile.Read(prompts),
            };
            return new(settings, rows);
        }
        catch (WeightsMismatchException exception)
        {
            throw new BadInputException($"--features: {exception.Message}", exception);
        }
        catch (Exception exception)
            when (exception is InvalidDataException or WeightsFormatException or IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(exception.Message, exception);
        }
    }

    public void Dispose()
    {
        Settings.Dispose();
        _reference?.Dispose();
    }

    static Dictionary<FeatureNetwork, string> Paths(string? features)
    {
        var paths = new Dictionary<FeatureNetwork, string>();
        foreach (var pair in features is null ? [] : BetweenPairs().Split(features))
        {
            var at = pair.IndexOf('=', StringComparison.Ordinal);
            var name = at < 0 ? pair : pair[..at].Trim();
            if (at < 0 || at == pair.Length - 1)
                throw new BadInputException($"--features has '{pair}': write NETWORK=PATH, with one of {Networks}.");
            if (!FeatureNetworks.Words.Contains(name))
                throw new BadInputException(
                    $"--features has '{name}', which is no network.{UnknownWords.Hint(name, FeatureNetworks.Words)}");
            if (!paths.TryAdd(FeatureNetworks.Of(name), pair[(at + 1)..]))
                throw new BadInputException($"--features names {name} twice.");
        }
        return paths;
    }

    static (IPictures Pictures, TensorFileRows? Rows) Reference(string path)
    {
        if (Directory.Exists(path))
            return (PictureFiles.Open(path), null);
        if (!File.Exists(path))
            throw new FileNotFoundException($"--reference: there is no file or folder {path}.");
        var rows = TensorFileRows.OpenFile(path)
            ?? throw new InvalidDataException($"--reference: {path} holds no tensor [N,3,H,W].");
        try
        {
            return (new TensorPictures(rows.Identity, rows, rows.Shape, rounded: false), rows);
        }
        catch
        {
            rows.Dispose();
            throw;
        }
    }

    /// <summary>A comma may be part of a path.</summary>
    [GeneratedRegex(",(?=[a-zA-Z0-9_-]+=)", RegexOptions.CultureInvariant)]
    private static partial Regex BetweenPairs();
}

using Taba.Diffusion.Metrics.Pictures;
using Taba.Grains;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Client.Sweeps;

/// <summary>Reads <c>features</c>: the weights of networks that pictures are measured by.</summary>
static class FeaturesReader
{
    /// <summary>The analyses that networks make.</summary>
    public static IReadOnlyList<AnalysisRequest> Analyses { get; } = [.. PictureAnalyses.List.Select(Request)];

    /// <summary>A file or a folder for each network.</summary>
    /// <exception cref="BadInputException">It is no mapping, or a network is not known.</exception>
    public static IReadOnlyDictionary<string, string> Read(SweepFields fields, SweepPaths paths)
    {
        if (fields.Find("features") is not { } node)
            return new Dictionary<string, string>();
        var map = node as YamlMap ?? throw node.Refuse($"features is {node.Kind}: expected a mapping of networks to paths, such as "
            + "features: { inception: weights.pth }.");
        var named = new Dictionary<string, string>();
        foreach (var (name, path) in map.Entries)
        {
            if (!FeatureNetworks.Words.Contains(name))
                throw new BadInputException(
                    $"{map.KeyPlaces[name]}: features has '{name}', which is no network.{UnknownWords.Hint(name, FeatureNetworks.Words)}");
            named[name] = paths.File(SweepFields.TextOf(path, $"features.{name}"))!;
        }
        return named;
    }

    static AnalysisRequest Request(PictureAnalysis analysis) => new(analysis.Name, InParts: !analysis.IsOfSets)
    {
        Pictures = new([.. analysis.Networks.Select(network => network.Word())])
        {
            OfSets = analysis.IsOfSets,
            OfPairs = analysis.IsOfPairs,
            OfPrompts = analysis.IsOfPrompts,
            LeastReference = analysis.LeastReference,
            TakesStatistics = analysis.TakesStatistics,
            LeastRows = analysis.LeastRows,
            LeastSide = analysis.LeastSide,
        },
    };
}

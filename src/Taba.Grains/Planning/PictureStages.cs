using System.Collections.Immutable;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Planning;

/// <summary>
/// What measures the pictures of a sweep's runs by networks whose weights the sweep names. Pairs are measured in blocks as tensors are. Of
/// sets, stages keep the features: those of a reference are the same for all runs, those of samples for all that start from them.
/// </summary>
sealed class PictureStages
{
    const string ImagesRole = "images";
    const string ReconstructedRole = "reconstructed_images";

    readonly ImmutableArray<AnalysisRequest> _analyses;
    readonly Dictionary<string, (FeatureFile File, int Values)> _networks;
    readonly PictureSet? _reference;

    PictureStages(
        ImmutableArray<AnalysisRequest> analyses, Dictionary<string, (FeatureFile File, int Values)> networks, PictureSet? reference) =>
        (_analyses, _networks, _reference) = (analyses, networks, reference);

    /// <summary>Reads what a sweep names; null when no network measures.</summary>
    /// <exception cref="BadInputException">Something is missing or damaged, or named for nothing.</exception>
    public static PictureStages? Read(SweepSpec spec, IInputFiles files)
    {
        var analyses = Check(spec);
        if (analyses.IsEmpty)
            return null;
        var networks = spec.Features.OrderBy(f => f.Key, StringComparer.Ordinal)
            .ToDictionary(f => f.Key, f => files.DescribeFeatures(f.Key, f.Value));
        var reference = spec.ReferencePath is { } path ? files.DescribeReference(path) : null;
        foreach (var analysis in reference is null ? [] : analyses.Where(a => a.Pictures!.LeastReference > 0))
        {
            if (reference!.Rows is null && !analysis.Pictures!.TakesStatistics)
                throw new BadInputException(
                    $"metrics has {analysis.Name}, which compares pictures, and reference {reference.Path} holds statistics only: name a "
                    + "folder of pictures or a tensor.");
            if (reference.Rows is not null && reference.Count < analysis.Pictures!.LeastReference)
                throw new BadInputException(
                    $"metrics has {analysis.Name}, which needs {analysis.Pictures.LeastReference} pictures, and reference "
                    + $"{reference.Path} has {reference.Count}.");
        }
        return new(analyses, networks, reference);
    }

    /// <summary>Refuses what can be seen to be wrong before a file is looked at.</summary>
    /// <returns>The analyses that networks make.</returns>
    /// <exception cref="BadInputException">A network, the reference or a stage is missing, or named for nothing.</exception>
    public static ImmutableArray<AnalysisRequest> Check(SweepSpec spec)
    {
        ImmutableArray<AnalysisRequest> analyses = spec.WithMetrics ? [.. spec.Analyses.Where(a => a.Pictures is not null)] : [];
        foreach (var analysis in analyses)
        {
            var needs = analysis.Pictures!;
            var lacking = needs.Networks.Where(network => !spec.Features.ContainsKey(network)).ToList();
            if (lacking.Count > 0)
                throw new BadInputException(
                    $"metrics has {analysis.Name}, and the weights of {string.Join(" and ", lacking)} are not named: add "
                    + $"{string.Join(" and ", lacking.Select(network => $"features.{network}: PATH"))}.");
            if (needs.LeastReference > 0 && spec.ReferencePath is null)
                throw new BadInputException(
                    $"metrics has {analysis.Name}, and there is nothing to compare with: set reference to a folder of pictures or the file "
                    + "of a tensor.");
            if (needs.OfPairs && !spec.WithReconstruction)
                throw new BadInputException(
                    $"metrics has {analysis.Name}, which compares images with their reconstructions: add the reconstruct stage.");
        }
        if (spec.Features.Keys.FirstOrDefault(network => !analyses.Any(a => a.Pictures!.Networks.Contains(network))) is { } unused)
            throw new BadInputException($"features names {unused}, by which no metric is measured: add one to metrics, or leave it out.");
        if (spec.ReferencePath is { } reference && !analyses.Any(a => a.Pictures!.LeastReference > 0))
            throw new BadInputException($"reference is {reference}, and no metric compares with it: add one to metrics, or leave it out.");
        return analyses;
    }

    /// <summary>What measures a run.</summary>
    /// <param name="run">The run.</param>
    /// <param name="model">Its model.</param>
    /// <param name="template">Of the stages of its model.</param>
    /// <param name="add">Takes a stage into the plan; gives its key.</param>
    /// <exception cref="BadInputException">The run has no pictures, too few or too small ones, or no prompts.</exception>
    public PlannedPictures Of(PlannedRun run, ModelFacts model, StageSpec template, Func<StageSpec, RowRange, string> add)
    {
        var tensors = MeasureStages.Tensors(run).Where(t => t.Role is ImagesRole or ReconstructedRole).ToImmutableArray();
        foreach (var analysis in _analyses)
            RequireFits(analysis, run, model, tensors[0].Shape);
        var stages = ImmutableArray.CreateBuilder<PlannedFeatures>();
        foreach (var network in _analyses.Where(a => a.Pictures!.OfSets).SelectMany(a => a.Pictures!.Networks).Distinct())
        {
            if (IsMany(run.Rows))
                stages.Add(new(network, false, Features(network, tensors[0], run.Rows)));
            if (_reference?.Rows is { } rows && IsMany(new(0, _reference.Count))
                && _analyses.Any(a => a.Pictures!.LeastReference > 0 && a.Pictures.Networks.Contains(network)))
            {
                var pictures = new MeasuredTensor(
                    MeasureSetting.ReferenceRole, Path.GetFileNameWithoutExtension(_reference.Path), rows, _reference.Shape, Dtype.Float32);
                stages.Add(new(network, true, Features(network, pictures, new(0, _reference.Count))));
            }
        }
        return new([.. _networks.Values.Select(network => network.File)], _reference, stages.ToImmutable()) { MeasureKey = Others() };

        string Features(string network, MeasuredTensor pictures, RowRange rows)
        {
            var (file, values) = _networks[network];
            var block = (rows.Count + MeasureSetting.Blocks - 1) / MeasureSetting.Blocks;
            return Add(new([], [pictures], rows, OfAll: false) { Features = [file] }, checked(block * values));
        }

        string? Others()
        {
            var others = _analyses.Where(a => !a.Pictures!.OfSets).ToList();
            return others.Count == 0 || !IsMany(run.Rows) ? null : Add(
                new([.. others.Select(a => a.Name).Order(StringComparer.Ordinal)], tensors, run.Rows, OfAll: false)
                {
                    Features = [.. _networks.Values.Select(n => n.File).Where(f => others.Exists(
                        a => a.Pictures!.Networks.Contains(f.Network)))],
                    Prompts = others.Exists(a => a.Pictures!.OfPrompts) ? run.Prompts : null,
                },
                values: 1);
        }

        string Add(MeasureSetting measure, int values) => add(
            new StageSpec
            {
                Kind = StageKind.Measure,
                Model = template.Model,
                NumInferenceSteps = 0,
                Precision = template.Precision,
                Input = measure.Tensors[^1].Rows,
                Measure = measure,
                Determinism = template.Determinism,
                Output = new(1, 1, values),
            },
            MeasureSetting.AllBlocks);
    }

    /// <summary>Fewer are measured where the folder is written.</summary>
    static bool IsMany(RowRange rows) => rows.Count >= MeasureSetting.FewestRows;

    static void RequireFits(AnalysisRequest analysis, PlannedRun run, ModelFacts model, StateShape shape)
    {
        var (needs, what) = (analysis.Pictures!, $"metrics has {analysis.Name}");
        if (shape.Channels is not (1 or 3) || (model.Autoencoder is not null && run.Images == ImagePair.States))
            throw new BadInputException(
                $"{what}, and the images of model {model.Slug} are states of {shape}, which are no pictures: leave it out, or have them "
                + "decoded.");
        if (Math.Min(shape.Height, shape.Width) < needs.LeastSide)
            throw new BadInputException(
                $"{what}, which needs pictures of {needs.LeastSide} pixels or more, and those of model {model.Slug} are {shape}.");
        if (run.Rows.Count < needs.LeastRows)
            throw new BadInputException($"{what}, which needs {needs.LeastRows} samples, and there are {run.Rows.Count}.");
        if (needs.OfPrompts && run.Prompts is null)
            throw new BadInputException($"{what}, which compares images with their prompts, and model {model.Slug} takes no text.");
    }
}

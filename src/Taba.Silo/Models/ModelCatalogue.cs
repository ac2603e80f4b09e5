using System.Security.Cryptography;
using System.Text;
using Taba.Diffusion.Models;
using Taba.Diffusion.Weights;
using Taba.Grains;
using Taba.Grains.Planning;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Engines;

namespace Taba.Silo.Models;

/// <summary>
/// Finds models by name or path, checks that their weights fit, and names them by digest. Reads headers and, for a digest that
/// is not remembered, the weights file once; loads no network.
/// </summary>
/// <param name="device">Decides what <c>auto</c> precision means.</param>
/// <param name="digestCacheFile">Where digests are remembered by path, size and time; null remembers nothing.</param>
/// <param name="readOnly">New digests are not written down.</param>
public sealed class ModelCatalogue(DeviceChoice device, string? digestCacheFile, bool readOnly = false) : IModelCatalogue
{
    public ModelFacts Resolve(ModelSelection selection)
    {
        var definition = Define(selection);
        var weights = definition.NeedsWeights ? FindWeights(selection, definition) : null;
        if (weights is not null)
            CheckWeights(weights, definition);
        var digest = Digest(definition, weights);
        return new AdmFacts(definition, device.IsCuda)
        {
            Identity = new ModelIdentity(
                digest, definition.Family, DescriptionPath(selection), weights, definition.Shape.Channels, definition.Shape.Height, definition.Shape.Width),
            Slug = Slug(selection, definition),
            ClassCount = definition.ClassCount,
        };
    }

    /// <summary>Reads a model's description.</summary>
    /// <exception cref="BadInputException">There is none, or it is wrong.</exception>
    public static ModelDefinition Define(ModelSelection selection)
    {
        var path = DescriptionPath(selection);
        try
        {
            var definition = ModelFile.Read(path);
            return selection.SampleSize is { } size ? definition.WithSampleSize(size, size) : definition;
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or ArgumentException or UnauthorizedAccessException)
        {
            throw new BadInputException(exception.Message, exception);
        }
    }

    /// <summary>The weights file of a model.</summary>
    /// <exception cref="BadInputException">It is nowhere to be found.</exception>
    public static string FindWeights(ModelSelection selection, ModelDefinition definition)
    {
        if (selection.WeightsPath is { } given)
            return File.Exists(given) ? Path.GetFullPath(given) : throw new BadInputException($"There are no weights at {given} (--weights).");
        if (definition.WeightsPath is not { } named)
            throw new BadInputException($"{DescriptionPath(selection)} names no weights: add \"weights\", or give --weights PATH.");
        if (File.Exists(named))
            return named;
        if (KnownModels.Find(selection.NameOrPath) is not { } known)
            throw new BadInputException($"The weights {named} of model {selection.NameOrPath} do not exist: put the file there, or give --weights PATH.");
        var upstream = Path.GetFullPath(Path.Combine(KnownModels.UpstreamWeightsFolder, Path.GetFileName(named)));
        if (File.Exists(upstream))
            return upstream;
        throw new BadInputException(
            $"The weights {Path.GetFileName(named)} of {known.Name} were not found in {Path.GetDirectoryName(upstream)}: "
            + $"get them from {known.Source}, put them there, or give --weights PATH.");
    }

    static void CheckWeights(string path, ModelDefinition definition)
    {
        try
        {
            using var file = WeightsFile.Open(path);
            WeightsMismatchException.ThrowIfDifferent(file, definition.Parameters);
        }
        catch (Exception exception) when (exception is WeightsFormatException or WeightsMismatchException or IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(exception.Message, exception);
        }
    }

    string Digest(ModelDefinition definition, string? weights)
    {
        var weightsDigest = weights is null ? "" : digestCacheFile is null ? WeightDigest.Compute(weights) : new WeightDigestCache(digestCacheFile, readOnly).Get(weights);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{definition.Canonical}\nweights={weightsDigest}")))[..32];
    }

    static string DescriptionPath(ModelSelection selection)
    {
        if (KnownModels.Find(selection.NameOrPath) is { } known)
            return KnownModels.DescriptionPath(known);
        var path = Path.GetFullPath(selection.NameOrPath);
        if (Directory.Exists(path))
            path = Path.Combine(path, "model.json");
        if (File.Exists(path))
            return path;
        throw new BadInputException(
            $"There is no model '{selection.NameOrPath}': it is neither one of {string.Join(", ", KnownModels.All.Select(m => m.Name))} nor the path of a model.json.");
    }

    static string Slug(ModelSelection selection, ModelDefinition definition)
    {
        var name = KnownModels.Find(selection.NameOrPath)?.Name ?? definition.Name;
        var safe = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' ? c : '-')).Trim('.', '-');
        return safe.Length == 0 ? "model" : safe;
    }
}

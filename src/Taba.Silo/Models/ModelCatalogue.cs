using System.Security.Cryptography;
using System.Text;
using Taba.Diffusion.Models;
using Taba.Diffusion.Weights;
using Taba.Diffusion.Weights.Hub;
using Taba.Grains;
using Taba.Grains.Planning;
using Taba.Grains.Sweeps;
using Taba.Silo.Devices;

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
        var path = ModelPaths.Of(selection.NameOrPath);
        var definition = Define(selection, path);
        var weights = definition.NeedsWeights ? FindWeights(selection, definition) : null;
        var digest = BadInput(() =>
        {
            definition.CheckWeights(weights);
            return DigestOf(definition.Canonical, definition.WeightFiles(weights));
        });
        return Facts(
            definition, new(path, weights, digest, Slug(selection, definition), AutoencoderDigest(definition), Name(selection, path)));
    }

    /// <summary>
    /// A known model as its shipped description has it. Its digest, and with it every key of a stage, is none that a run has.
    /// </summary>
    /// <exception cref="BadInputException">It cannot be of the asked size.</exception>
    internal (ModelFacts Facts, ModelDefinition Definition) Outline(ModelSelection selection, KnownModel known)
    {
        var path = KnownModels.OutlinePath(known);
        var definition = Define(selection, path);
        var (network, autoencoder) = (DigestOf(definition.Canonical, []), definition.Autoencoder?.Canonical);
        return (
            Facts(
                definition,
                new(
                    path, null, network, Slug(selection, definition), autoencoder is null ? null : DigestOf(autoencoder, []),
                    Name(selection, path), IsOutline: true)),
            definition);
    }

    /// <summary>An autoencoder by its component's folder, with the digest of what is there.</summary>
    /// <exception cref="BadInputException">There is none, or it is wrong.</exception>
    internal ModelIdentity ResolveAutoencoder(ModelIdentity model) => BadInput(() =>
    {
        var autoencoder = ModelDefinitions.Autoencoder(model);
        autoencoder.CheckWeights();
        return model with { Digest = DigestOf(autoencoder.Canonical, autoencoder.WeightFiles()) };
    });

    /// <summary>Reads a model's description.</summary>
    /// <exception cref="BadInputException">There is none, or it is wrong.</exception>
    public static ModelDefinition Define(ModelSelection selection) => Define(selection, ModelPaths.Of(selection.NameOrPath));

    /// <summary>The weights file of a model with a model.json; null when the model brings its own.</summary>
    /// <exception cref="BadInputException">It is nowhere to be found.</exception>
    public static string? FindWeights(ModelSelection selection, ModelDefinition definition)
    {
        if (definition is not GuidedDiffusionDefinition described)
        {
            return selection.WeightsPath is null
                ? null
                : throw new BadInputException(
                    $"--weights {selection.WeightsPath} is given, and model {selection.NameOrPath} is a Hugging Face folder, which "
                    + "brings its weights: leave it out.");
        }
        return WeightPaths.Of(selection, described);
    }

    static ModelDefinition Define(ModelSelection selection, string path) => BadInput(() =>
    {
        var definition = ModelDefinitions.At(path, ModelPaths.IsName(selection.NameOrPath) ? selection.NameOrPath : null);
        return selection.SampleSize is { } size ? definition.WithSampleSize(size, size) : definition;
    });

    DefinitionFacts Facts(ModelDefinition definition, Found found) => new(definition, device.IsCuda, resized => Facts(resized, found))
    {
        Identity = Identity(found.Digest, definition.Family, found.Path, found.Weights, definition.Shape, found.Name),
        Slug = found.Slug,
        Conditions = definition.ClassCount is not null ? ConditionKind.Classes : definition.TextShape is not null
            ? ConditionKind.Text
            : ConditionKind.None,
        ClassCount = definition.ClassCount,
        LabelsDigest = definition.ClassCount is null ? "" : definition.Labels().Digest,
        CanBeGuided = definition.CanBeGuided,
        SizeFollowsInputs = definition.SizeFollowsInputs,
        LacksClassNames = found.IsOutline,
        Autoencoder = definition.Autoencoder is { } autoencoder
            ? new(
                Identity(found.AutoencoderDigest!, "autoencoder", autoencoder.Folder, null, definition.Shape, found.Name),
                autoencoder.PicturesOf(definition.Shape))
            : null,
    };

    string? AutoencoderDigest(ModelDefinition definition) => definition.Autoencoder is { } autoencoder
        ? BadInput(() =>
        {
            autoencoder.CheckWeights();
            return DigestOf(autoencoder.Canonical, autoencoder.WeightFiles());
        })
        : null;

    string DigestOf(string canonical, IReadOnlyList<string> files)
    {
        var weights = files.Count == 0 ? ""
            : digestCacheFile is null ? WeightDigest.Combine([.. files.Select(file => WeightDigest.Compute(file))])
            : new WeightDigestCache(digestCacheFile, readOnly).Get(files);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{canonical}\nweights={weights}")))[..32];
    }

    static ModelIdentity Identity(string digest, string family, string path, string? weights, StateShape shape, string? name) =>
        new(digest, family, path, weights, shape.Channels, shape.Height, shape.Width) { Name = name };

    /// <summary>A name of ours, or a repository in the hub's cache, which may be given by its folder there.</summary>
    static string? Name(ModelSelection selection, string path) =>
        ModelPaths.IsName(selection.NameOrPath) || !(File.Exists(selection.NameOrPath) || Directory.Exists(selection.NameOrPath))
        ? selection.NameOrPath
        : HubRepository.OfSnapshot(path)?.Id;

    static string Slug(ModelSelection selection, ModelDefinition definition)
    {
        var name = KnownModels.Find(selection.NameOrPath)?.Name ?? definition.Name;
        var safe = PlainName.Of(name, "-.", '-').Trim('.', '-');
        return safe.Length == 0 ? "model" : safe;
    }

    /// <summary>Turns the errors of a user's file into bad input.</summary>
    static T BadInput<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception exception) when (exception is InvalidDataException or WeightsFormatException or WeightsMismatchException
            or IOException or ArgumentException or UnauthorizedAccessException)
        {
            throw new BadInputException(exception.Message, exception);
        }
    }

    /// <summary>A model's facts that do not change with the size of the state.</summary>
    sealed record Found(
        string Path, string? Weights, string Digest, string Slug, string? AutoencoderDigest, string? Name, bool IsOutline = false);
}

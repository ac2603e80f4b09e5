using Taba.Diffusion.Weights;
using Taba.Diffusion.Weights.Hub;
using Taba.Grains;

namespace Taba.Silo.Models;

/// <summary>The models that <c>taba models pull</c> or the hub's own libraries have brought. It looks, and downloads nothing.</summary>
public sealed class ModelCache(HubSettings settings)
{
    readonly HubCache _hub = new(settings.CacheFolder);

    public HubSettings Settings { get; } = settings;

    /// <summary>The caches that the environment names.</summary>
    /// <exception cref="BadInputException">A variable's value cannot be used.</exception>
    public static ModelCache FromEnvironment()
    {
        try
        {
            return new ModelCache(HubSettings.FromEnvironment());
        }
        catch (HubException exception)
        {
            throw new BadInputException(exception.Message, exception);
        }
    }

    /// <summary>The checkpoint of a model that is published as a plain file; null when it was not pulled.</summary>
    public string? Checkpoint(KnownModel model)
    {
        if (model is not { Source: { } source, Repository: null })
            return null;
        var path = CheckpointCache.PathOf(Settings, new Uri(source));
        return File.Exists(path) ? path : null;
    }

    /// <summary>
    /// The folder of a model of the hub; null when nothing of it is in the cache. It may lack components (<see cref="Missing"/>).
    /// </summary>
    /// <exception cref="BadInputException">The revision cannot be one.</exception>
    public string? Folder(KnownModel model, string revision = "main") =>
        model.Repository is { } repository ? Folder(repository.Id, revision) : null;

    /// <summary>
    /// The folder of a repository, given as organization/name; null when the text is no such id or nothing of it is in the cache.
    /// </summary>
    /// <exception cref="BadInputException">The revision cannot be one.</exception>
    public string? Folder(string repositoryId, string revision = "main")
    {
        try
        {
            return HubRepository.TryModel(repositoryId, out var repository) ? _hub.Snapshot(repository, revision) : null;
        }
        catch (HubException exception)
        {
            throw new BadInputException(exception.Message, exception);
        }
    }

    /// <summary>The components that a folder lacks, or whose files are gone. Empty when it is whole.</summary>
    public static IReadOnlyList<string> Missing(string folder, KnownRepository repository) =>
        [.. repository.Components.Where(component => !IsWhole(Path.Combine(folder, component), HasWeights(component)))];

    static bool HasWeights(string component) => component is not ("scheduler" or "tokenizer");

    static bool IsWhole(string folder, bool hasWeights)
    {
        if (!Directory.Exists(folder))
            return false;
        var files = Directory.GetFiles(folder);
        if (files.Length == 0 || files.Any(IsBrokenLink))
            return false;
        try
        {
            // An index names shards, which only opening it would compare.
            if (hasWeights)
                DiffusersWeights.Open(folder).Dispose();
            return true;
        }
        catch (Exception exception) when (exception is InvalidDataException or WeightsFormatException or IOException)
        {
            return false;
        }
    }

    static bool IsBrokenLink(string path) => File.ResolveLinkTarget(path, returnFinalTarget: true) is { Exists: false };
}

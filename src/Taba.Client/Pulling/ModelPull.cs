using System.Text.Json;
using Taba.Client.Hosts;
using Taba.Client.Planning;
using Taba.Grains.Words;
using Taba.Diffusion.Weights.Hub;
using Taba.Grains;
using Taba.Silo.Conditions;
using Taba.Silo.Models;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Client.Pulling;

/// <summary>Downloads models, and the dataset of prompts, into the caches; says what and how large before it begins.</summary>
static class ModelPull
{
    /// <summary>The name of the dataset that prompts are drawn from.</summary>
    public const string DatasetName = PromptPaths.DatasetName;

    const string DefaultRevision = "main";

    /// <summary>Brings what is asked for, or the rest of it.</summary>
    /// <exception cref="BadInputException">There is no such thing, or it cannot be had as asked.</exception>
    /// <exception cref="RunFailedException">The network or the hub failed; the same command continues.</exception>
    public static async Task RunAsync(PullRequest request, Terminal terminal, CancellationToken interrupted)
    {
        try
        {
            await PullAsync(request, terminal, interrupted);
        }
        catch (HubException exception)
        {
            throw exception.MayContinue
                ? new RunFailedException(exception.Message, exception)
                : new BadInputException(exception.Message, exception);
        }
    }

    static Task PullAsync(PullRequest request, Terminal terminal, CancellationToken interrupted)
    {
        if (request.Name.Equals(DatasetName, StringComparison.OrdinalIgnoreCase))
            return PullRepositoryAsync(
                request, DatasetName, HubRepository.Dataset(PromptPaths.DatasetRepository), HubSelection.ForDataset, terminal, interrupted);
        var known = KnownModels.Find(request.Name);
        if (known?.Repository is { } repository)
            return PullRepositoryAsync(
                request, known.Name, HubRepository.Model(repository.Id), OfModel(request, repository), terminal, interrupted);
        if (known is null && HubRepository.TryModel(request.Name, out var other))
            return PullRepositoryAsync(request, request.Name, other, OfModel(request, null), terminal, interrupted);
        if (known is null)
        {
            throw new BadInputException(
                $"There is no model '{request.Name}' to pull: it is neither a known name nor "
                + $"organization/name.{UnknownWords.Hint(request.Name, [.. KnownModels.All.Select(m => m.Name)])}");
        }

        if (known.Source is null)
            throw new BadInputException($"The model {known.Name} comes with taba: there is nothing to pull.");
        return request.Revision is null && request.Variant is null
            ? PullFileAsync(request, known, terminal, interrupted)
            : throw new BadInputException(
                $"The model {known.Name} is a plain file ({known.Source}), which has neither revisions nor variants.");
    }

    static async Task PullRepositoryAsync(
        PullRequest request, string name, HubRepository repository, Func<HubListing, IReadOnlyList<HubFile>> choose, Terminal terminal,
        CancellationToken interrupted)
    {
        var progress = new PullProgress(terminal, name, request.Json);
        using var client = new HubClient(HubSettings.FromEnvironment(), retry: new HubRetryOptions { Notice = progress.Say });
        var listing = await client.ListAsync(repository, request.Revision ?? DefaultRevision, interrupted);
        var files = choose(listing);
        var pull = client.Plan(listing, files);
        Announce(
            request, terminal, name, $"{files.Count} files of {repository} at {listing.Revision} ({listing.Commit[..12]})",
            pull.TotalBytes, pull.BytesHere, client.Cache.Root);
        RequireRoom(pull.BytesMissing, client.Cache.Root);
        await client.CheckAccessAsync(pull, interrupted);
        var folder = await client.PullAsync(pull, progress, interrupted);
        Tell(request, terminal, request.Json
            ? JsonSerializer.Serialize(new
            {
                name,
                repository = repository.Id,
                revision = listing.Revision,
                commit = listing.Commit,
                path = folder,
                files = files.Select(f => f.Path),
                bytes = pull.TotalBytes,
                bytes_pulled = pull.BytesMissing,
            })
            : folder);
    }

    static async Task PullFileAsync(PullRequest request, KnownModel model, Terminal terminal, CancellationToken interrupted)
    {
        var progress = new PullProgress(terminal, model.Name, request.Json);
        using var cache = new CheckpointCache(HubSettings.FromEnvironment(), retry: new HubRetryOptions { Notice = progress.Say });
        var pull = await cache.PlanAsync(new Uri(model.Source!), interrupted);
        Announce(
            request, terminal, model.Name, $"{Path.GetFileName(pull.Path)} from {model.Source}", pull.Size, pull.BytesHere,
            Path.GetDirectoryName(pull.Path)!);
        RequireRoom((pull.Size ?? 1) - pull.BytesHere, Path.GetDirectoryName(pull.Path)!);
        var path = await cache.PullAsync(pull, progress, interrupted);
        Tell(request, terminal, request.Json
            ? JsonSerializer.Serialize(new
            {
                name = model.Name,
                source = model.Source,
                path,
                bytes = new FileInfo(path).Length,
                bytes_pulled = new FileInfo(path).Length - pull.BytesHere,
            })
            : path);
    }

    static Func<HubListing, IReadOnlyList<HubFile>> OfModel(PullRequest request, KnownRepository? known) => listing =>
        HubSelection.ForModel(listing, known?.Components, request.Variant ?? known?.Variant, requireVariant: request.Variant is not null);

    /// <summary>The result, where it was asked for: a run has other results.</summary>
    static void Tell(PullRequest request, Terminal terminal, string line)
    {
        if (!request.OnDemand)
            terminal.Output.WriteLine(line);
    }

    static void Announce(PullRequest request, Terminal terminal, string name, string what, long? bytes, long here, string folder)
    {
        if (request.Json)
        {
            terminal.Error.WriteLine(JsonSerializer.Serialize(new { @event = "pull", name, bytes, bytes_here = here, folder }));
            return;
        }

        var size = bytes is { } known ? Quantities.Bytes(known) : "of unknown size";
        var rest = here == 0 ? "" : here == bytes ? "; all of it is here" : $"; {Quantities.Bytes(here)} of it are here";
        terminal.Error.WriteLine($"{name}: {what}, {size}, into {folder}{rest}");
    }

    static void RequireRoom(long bytes, string folder)
    {
        if (bytes > 0)
            OutputPlace.Require(folder, "name a cache elsewhere with HF_HOME, and for plain checkpoints with TABA_CACHE");
        if (DiskSpace.Available(folder) is { } free && bytes > free)
        {
            throw new BadInputException(
                $"The disk of {folder} has {Quantities.Bytes(free)} free and {Quantities.Bytes(bytes)} are still to come: make room, or "
                + "name a cache elsewhere with HF_HOME.");
        }
    }

}

/// <summary>A model or dataset to download.</summary>
/// <param name="Name">A known model, organization/name, or the dataset of prompts.</param>
/// <param name="Revision">Null is main.</param>
/// <param name="Variant">Null is the model's own choice.</param>
/// <param name="Json">Machine-readable lines.</param>
/// <param name="OnDemand">A run needs it, and prints results of its own.</param>
sealed record PullRequest(string Name, string? Revision, string? Variant, bool Json, bool OnDemand = false);

using System.CommandLine;
using System.Text.Json;
using Taba.Client.Embedded;
using Taba.Client.Progress;
using Taba.Diffusion.Weights.Hub;
using Taba.Grains;
using Taba.Silo.Models;
using Taba.Silo.Storage;

namespace Taba.Client.Commands;

/// <summary><c>taba models pull NAME</c></summary>
static class ModelsPullCommand
{
    const string DefaultRevision = "main";

    public static Command Create(CommandServices services)
    {
        var name = new Argument<string>("NAME") { Description = "A known model (taba models list), or a repository of the hub as organization/name." };
        var revision = Flags.Of<string?>("revision", "A branch, tag or commit of the repository. The default is main.");
        var variant = Flags.Of<string?>("variant", "The variant of the weights, such as fp16. The default is the model's own choice.");
        var json = Flags.Switch("json", "Machine-readable lines, no colours.");
        var command = new Command("pull", "Downloads a model into the cache, or continues to. Prints where it is.") { name, revision, variant, json };
        command.SetAction(async (parsed, interrupted) =>
        {
            var request = new PullRequest(parsed.GetValue(name)!, parsed.GetValue(revision), parsed.GetValue(variant), parsed.GetValue(json));
            try
            {
                await PullAsync(request, services.Terminal, interrupted);
                return ExitStatus.Done;
            }
            catch (HubException exception)
            {
                throw exception.MayContinue ? new RunFailedException(exception.Message, exception) : new BadInputException(exception.Message, exception);
            }
        });
        return command.WithExamples("taba models pull adm-32", "taba models pull if-i-xl", "taba models pull organization/name --revision main --variant fp16");
    }

    static Task PullAsync(PullRequest request, Terminal terminal, CancellationToken interrupted)
    {
        var known = KnownModels.Find(request.Name);
        if (known?.Repository is { } repository)
            return PullRepositoryAsync(request, known.Name, HubRepository.Model(repository.Id), repository, terminal, interrupted);
        if (known is null && HubRepository.TryModel(request.Name, out var other))
            return PullRepositoryAsync(request, request.Name, other, null, terminal, interrupted);
        if (known is null)
        {
            throw new BadInputException(
                $"There is no model '{request.Name}' to pull: it is neither a known name nor organization/name.{UnknownWords.Hint(request.Name, [.. KnownModels.All.Select(m => m.Name)])}");
        }

        if (known.Source is null)
            throw new BadInputException($"The model {known.Name} comes with taba: there is nothing to pull.");
        return request.Revision is null && request.Variant is null
            ? PullFileAsync(request, known, terminal, interrupted)
            : throw new BadInputException($"The model {known.Name} is a plain file ({known.Source}), which has neither revisions nor variants.");
    }

    static async Task PullRepositoryAsync(
        PullRequest request, string name, HubRepository repository, KnownRepository? known, Terminal terminal, CancellationToken interrupted)
    {
        var progress = new PullProgress(terminal, name, request.Json);
        using var client = new HubClient(HubSettings.FromEnvironment(), retry: new HubRetryOptions { Notice = progress.Say });
        var listing = await client.ListAsync(repository, request.Revision ?? DefaultRevision, interrupted);
        var files = HubSelection.ForModel(listing, known?.Components, request.Variant ?? known?.Variant, requireVariant: request.Variant is not null);
        var pull = client.Plan(listing, files);
        Announce(request, terminal, name, $"{files.Count} files of {repository} at {listing.Revision} ({listing.Commit[..12]})", pull.TotalBytes, pull.BytesHere, client.Cache.Root);
        RequireRoom(pull.BytesMissing, client.Cache.Root);
        await client.CheckAccessAsync(pull, interrupted);
        var folder = await client.PullAsync(pull, progress, interrupted);
        terminal.Output.WriteLine(request.Json
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
        Announce(request, terminal, model.Name, $"{Path.GetFileName(pull.Path)} from {model.Source}", pull.Size, pull.BytesHere, Path.GetDirectoryName(pull.Path)!);
        RequireRoom((pull.Size ?? 0) - pull.BytesHere, pull.Path);
        var path = await cache.PullAsync(pull, progress, interrupted);
        terminal.Output.WriteLine(request.Json
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
        if (DiskSpace.Available(folder) is { } free && bytes > free)
        {
            throw new BadInputException(
                $"The disk of {folder} has {Quantities.Bytes(free)} free and {Quantities.Bytes(bytes)} are still to come: make room, or name a cache elsewhere with HF_HOME.");
        }
    }

    sealed record PullRequest(string Name, string? Revision, string? Variant, bool Json);
}

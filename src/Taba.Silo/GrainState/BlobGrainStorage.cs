using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Orleans.Serialization.Serializers;
using Orleans.Storage;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.GrainState;

/// <summary>
/// Grain state in a container of Azure Blob storage, a blob for each state: <c>grains/SERVICE/STATE/GRAIN</c>. Every write is conditional
/// on the ETag that was read: the second of two activations gets an <see cref="InconsistentStateException"/>. A cleared state
/// keeps its blob without bytes, so that a writer from before the clear cannot pass for one from after it.
/// </summary>
/// <param name="container">The container; created when the silo starts and it is not there.</param>
/// <param name="serviceId">States of another service are other states.</param>
public sealed class BlobGrainStorage(
    BlobContainerClient container, string serviceId, IGrainStorageSerializer serializer, IActivatorProvider activators)
    : IGrainStorage, ILifecycleParticipant<ISiloLifecycle>
{
    /// <summary>Metadata that tells one write from another.</summary>
    const string WriteKey = "write";

    static readonly BinaryData s_nothing = new(Array.Empty<byte>());

    /// <exception cref="StoreException">The account does not answer, or refuses.</exception>
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ReadStateAsync(stateName, grainId, grainState, CancellationToken.None);

    /// <inheritdoc cref="ReadStateAsync{T}(string, GrainId, IGrainState{T})"/>
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var name = Name(stateName, grainId);
        var stored = await GuardAsync("read", name, () => IfThereAsync(
            async () => (await Blob(name).DownloadContentAsync(cancellationToken)).Value), cancellationToken);
        grainState.RecordExists = stored is { Details.ContentLength: > 0 };
        grainState.State = grainState.RecordExists ? serializer.Deserialize<T>(stored!.Content) : activators.GetActivator<T>().Create();
        grainState.ETag = stored?.Details.ETag.ToString();
    }

    /// <exception cref="InconsistentStateException">Another activation wrote meanwhile.</exception>
    /// <exception cref="StoreException">The account does not answer, or refuses: whether it is stored is not known.</exception>
    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        WriteStateAsync(stateName, grainId, grainState, CancellationToken.None);

    /// <inheritdoc cref="WriteStateAsync{T}(string, GrainId, IGrainState{T})"/>
    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        grainState.ETag = await StoreAsync(stateName, grainId, grainState.ETag, serializer.Serialize(grainState.State));
        grainState.RecordExists = true;
    }

    /// <exception cref="InconsistentStateException">Another activation wrote meanwhile.</exception>
    /// <exception cref="StoreException">The account does not answer, or refuses: whether it is cleared is not known.</exception>
    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ClearStateAsync(stateName, grainId, grainState, CancellationToken.None);

    /// <inheritdoc cref="ClearStateAsync{T}(string, GrainId, IGrainState{T})"/>
    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var name = Name(stateName, grainId);
        if (!string.IsNullOrEmpty(grainState.ETag))
            grainState.ETag = await StoreAsync(stateName, grainId, grainState.ETag, s_nothing);
        // Who read nothing has nothing to clear, unless somebody wrote since.
        else if (await GuardAsync("read", name, () => PropertiesAsync(name), cancellationToken) is { } there)
            grainState.ETag = there.ContentLength == 0 ? there.ETag.ToString() : throw Conflict(name, there, null);
        grainState.State = activators.GetActivator<T>().Create();
        grainState.RecordExists = false;
    }

    /// <summary>Asks for the container while the silo starts, so that a wrong account stops it there and not at the first grain.</summary>
    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        nameof(BlobGrainStorage), ServiceLifecycleStage.ApplicationServices, container.CreateIfMissingAsync);

    /// <summary>A request that is on its way is not called back: a cancelled write would be one of unknown outcome.</summary>
    async Task<string> StoreAsync(string stateName, GrainId grainId, string? expected, BinaryData payload)
    {
        var name = Name(stateName, grainId);
        var write = Guid.NewGuid().ToString("N");
        var options = new BlobUploadOptions
        {
            Conditions = string.IsNullOrEmpty(expected) ? new() { IfNoneMatch = ETag.All } : new() { IfMatch = new ETag(expected) },
            Metadata = new Dictionary<string, string> { [WriteKey] = write },
        };
        return await GuardAsync("write", name, async () =>
        {
            try
            {
                return (await Blob(name).UploadAsync(payload, options)).Value.ETag.ToString();
            }
            catch (RequestFailedException exception) when (BlobErrors.IsLost(exception) || IsGone(exception))
            {
                // When the answer to a request is lost, the SDK asks again and is told that its own first request won.
                var there = await PropertiesAsync(name);
                return there?.Metadata.TryGetValue(WriteKey, out var last) == true && last == write
                    ? there.ETag.ToString()
                    : throw Conflict(name, there, expected);
            }
        }, CancellationToken.None);
    }

    Task<BlobProperties?> PropertiesAsync(string name) => IfThereAsync(async () => (await Blob(name).GetPropertiesAsync()).Value);

    static async Task<T?> IfThereAsync<T>(Func<Task<T>> request)
        where T : class
    {
        try
        {
            return await request();
        }
        catch (RequestFailedException exception) when (IsGone(exception))
        {
            return null;
        }
    }

    static bool IsGone(RequestFailedException exception) =>
        exception.Status == 404 && exception.ErrorCode != BlobErrorCode.ContainerNotFound;

    Task<T> GuardAsync<T>(string what, string name, Func<Task<T>> work, CancellationToken cancellationToken) =>
        BlobErrors.GuardAsync($"{what} grain state", BlobErrors.Where(container, name), work, cancellationToken);

    BlobClient Blob(string name) => container.GetBlobClient(name);

    string Name(string stateName, GrainId grainId) => $"grains/{Escape(serviceId)}/{Escape(stateName)}/{Escape(grainId.ToString())}";

    /// <summary>Nothing in a name may look like a folder or a step up.</summary>
    static string Escape(string text) => Uri.EscapeDataString(text).Replace(".", "%2E", StringComparison.Ordinal);

    InconsistentStateException Conflict(string name, BlobProperties? there, string? current) => new(
        $"The state {BlobErrors.Where(container, name)} has version {there?.ETag.ToString() ?? "none"} and not {current ?? "none"}: "
        + "another activation wrote it.",
        there?.ETag.ToString() ?? "", current ?? "");
}

using System.Globalization;
using Orleans.Serialization.Serializers;
using Orleans.Storage;

namespace Taba.Storage.GrainState;

/// <summary>
/// Grain state in one SQLite file. Every write is committed and flushed before its caller goes on, and carries the version
/// that was read: the second of two activations gets an <see cref="InconsistentStateException"/>.
/// </summary>
public sealed class SqliteGrainStorage(string path, IGrainStorageSerializer serializer, IActivatorProvider activators)
    : IGrainStorage, ILifecycleParticipant<ISiloLifecycle>, IDisposable, IAsyncDisposable
{
    readonly SqliteThread _thread = new(new(path));

    /// <exception cref="StoreException">The database or its disk failed.</exception>
    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ReadStateAsync(stateName, grainId, grainState, CancellationToken.None);

    /// <exception cref="StoreException">The database or its disk failed.</exception>
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var grain = grainId.ToString();
        var stored = await _thread.RunAsync(connection => GrainStateTable.Read(connection, stateName, grain));
        if (stored?.Payload is { } payload)
        {
            grainState.State = serializer.Deserialize<T>(new BinaryData(payload));
            grainState.RecordExists = true;
        }
        else
        {
            grainState.State = activators.GetActivator<T>().Create();
            grainState.RecordExists = false;
        }
        grainState.ETag = Text(stored?.Version);
    }

    /// <exception cref="InconsistentStateException">Another activation wrote meanwhile.</exception>
    /// <exception cref="StoreException">The database or its disk failed; nothing is stored.</exception>
    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        WriteStateAsync(stateName, grainId, grainState, CancellationToken.None);

    /// <inheritdoc cref="WriteStateAsync{T}(string, GrainId, IGrainState{T})"/>
    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        // Once queued it is not called back: a cancelled write would be one of unknown outcome.
        cancellationToken.ThrowIfCancellationRequested();
        var grain = grainId.ToString();
        var expected = Version(stateName, grain, grainState.ETag);
        var payload = serializer.Serialize(grainState.State).ToArray();
        var result = await _thread.RunAsync(connection => GrainStateTable.Write(connection, stateName, grain, expected, payload));
        grainState.ETag = Text(Accepted(result, stateName, grain, grainState.ETag));
        grainState.RecordExists = true;
    }

    /// <exception cref="InconsistentStateException">Another activation wrote meanwhile.</exception>
    /// <exception cref="StoreException">The database or its disk failed; nothing is cleared.</exception>
    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState) =>
        ClearStateAsync(stateName, grainId, grainState, CancellationToken.None);

    /// <inheritdoc cref="ClearStateAsync{T}(string, GrainId, IGrainState{T})"/>
    public async Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var grain = grainId.ToString();
        var expected = Version(stateName, grain, grainState.ETag);
        var result = await _thread.RunAsync(connection => GrainStateTable.Clear(connection, stateName, grain, expected));
        grainState.ETag = Text(Accepted(result, stateName, grain, grainState.ETag));
        grainState.State = activators.GetActivator<T>().Create();
        grainState.RecordExists = false;
    }

    /// <summary>Opens the file while the silo starts, so that a bad one stops it there and not at the first grain.</summary>
    public void Participate(ISiloLifecycle observer) => observer.Subscribe(
        nameof(SqliteGrainStorage), ServiceLifecycleStage.ApplicationServices, _ => _thread.RunAsync(connection => connection.State));

    public void Dispose() => _thread.Dispose();

    public ValueTask DisposeAsync() => _thread.DisposeAsync();

    static long? Accepted(WriteResult result, string stateName, string grain, string? etag) => result.Stored
        ? result.Version
        : throw Conflict(stateName, grain, Text(result.Version), etag);

    static long? Version(string stateName, string grain, string? etag) =>
        etag is null ? null
        : long.TryParse(etag, NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version
        : throw Conflict(stateName, grain, null, etag);

    static InconsistentStateException Conflict(string stateName, string grain, string? stored, string? current) => new(
        $"The state '{stateName}' of grain {grain} has version {stored ?? "none"} and not {current ?? "none"}: another activation wrote "
        + "it.", stored ?? "", current ?? "");

    static string? Text(long? version) => version?.ToString(CultureInfo.InvariantCulture);
}

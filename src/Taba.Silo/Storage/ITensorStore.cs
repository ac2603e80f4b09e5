using System.Collections.Immutable;
using Taba.Grains.Stages;

namespace Taba.Silo.Storage;

/// <summary>
/// Durable tensors: objects that each attempt writes for itself, and manifests that decide which of them count. Publishing a
/// manifest create-if-absent is the only commit point.
/// </summary>
public interface ITensorStore
{
    /// <summary>A path on this machine where an attempt writes an object before it is put. The folder exists.</summary>
    string ScratchPath(PartAttempt attempt, string objectName);

    /// <summary>Makes a finished scratch file durable as an object of its attempt; the scratch file is gone afterwards.</summary>
    /// <returns>The object's path within the store, for the manifest.</returns>
    Task<string> PutAsync(PartAttempt attempt, string objectName, CancellationToken cancellationToken);

    /// <summary>
    /// Publishes a manifest if its rows have none. False when another attempt was quicker; true also when this very manifest is there
    /// already, because the answer to an earlier call may have been lost.
    /// </summary>
    Task<bool> PublishAsync(PartManifest manifest, CancellationToken cancellationToken);

    /// <summary>All manifests of a stage, by row.</summary>
    Task<ImmutableArray<PartManifest>> ListAsync(string stageKey, CancellationToken cancellationToken);

    /// <summary>The manifests of a stage that hold any of these rows, by row: what a reader of a few rows asks of a large stage.</summary>
    async Task<ImmutableArray<PartManifest>> ListAsync(string stageKey, RowRange rows, CancellationToken cancellationToken) =>
        (await ListAsync(stageKey, cancellationToken)).RemoveAll(m => m.Rows.Intersect(rows).IsEmpty);

    /// <summary>Opens an object for reading at any offset.</summary>
    /// <exception cref="StoreException">The object is gone.</exception>
    IObjectReader Open(string objectPath);

    /// <summary>Opens an object so that reading it afterwards waits for nothing but this machine's disk.</summary>
    /// <exception cref="StoreException">The object is gone.</exception>
    Task<IObjectReader> OpenAsync(string objectPath, CancellationToken cancellationToken) =>
        Task.Run(() => Open(objectPath), cancellationToken);

    /// <summary>The object's path on this machine, when it is a plain file here; null otherwise.</summary>
    string? LocalPath(string objectPath);

    /// <summary>Deletes what an attempt wrote and did not publish. Idempotent.</summary>
    void DeleteAttempt(PartAttempt attempt);

    /// <summary>Writes down what a stage is, for people who look into the store and for <c>store ls</c>. Idempotent.</summary>
    Task DescribeStageAsync(string stageKey, StageSpec spec, CancellationToken cancellationToken);

    /// <summary>True when the store holds anything of a stage.</summary>
    async Task<bool> HasStageAsync(string stageKey, CancellationToken cancellationToken) =>
        (await ListStagesAsync(cancellationToken)).Any(s => s.Key == stageKey);

    /// <summary>Every stage in the store.</summary>
    Task<ImmutableArray<StoredStage>> ListStagesAsync(CancellationToken cancellationToken);

    /// <summary>Removes a stage with all its parts.</summary>
    Task RemoveStageAsync(string stageKey, CancellationToken cancellationToken);

    /// <summary>
    /// Deletes objects that no manifest names, and unfinished files: the rest of attempts that died before they published. An attempt is
    /// dead when it is old enough: nobody takes a day from writing to publishing. A stage with a damaged manifest keeps everything.
    /// Idempotent.
    /// </summary>
    /// <param name="writtenBefore">What was written later stays.</param>
    /// <param name="cancellationToken">Stops between two stages.</param>
    /// <returns>The number of objects and files deleted.</returns>
    Task<int> SweepOrphansAsync(DateTimeOffset writtenBefore, CancellationToken cancellationToken);
}

/// <summary>Reads an object at any offset; safe for several threads.</summary>
public interface IObjectReader : IDisposable
{
    long Length { get; }

    /// <summary>Fills the buffer or throws.</summary>
    void Read(long offset, Span<byte> buffer);
}

/// <summary>A stage as the store holds it.</summary>
/// <param name="Description">The stage's fields as text; null when nobody wrote them.</param>
public sealed record StoredStage(string Key, string? Description, RowSet Rows, long Bytes, DateTimeOffset LastWrite);

/// <summary>The store or its disk failed: exit status 3, the same command continues.</summary>
public sealed class StoreException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>True when the cause is a full disk.</summary>
    public bool DiskFull { get; init; }
}

using System.Collections.Concurrent;
using System.Collections.Immutable;
using Taba.Storage.Objects;

namespace Taba.Storage.Manifests;

/// <summary>
/// Durable tensors: objects that each attempt writes for itself, and cells that decide which of them count. A new version of a cell that
/// names an attempt's objects is the only commit point. docs/design/storage.md has the layout, docs/design/exactly-once.md the reasons.
/// </summary>
/// <param name="objects">The place.</param>
/// <param name="time">For the times that people read; the system's clock when null. Nothing is decided by it.</param>
/// <param name="mends">False for a reader that must write nothing.</param>
public sealed class TensorStore(IObjectStore objects, TimeProvider? time = null, bool mends = true)
{
    const int MostDescribed = 4096;

    readonly Cells _cells = new(objects, time ?? TimeProvider.System, mends);
    readonly ConcurrentDictionary<string, bool> _described = new();
    int _voided;

    /// <summary>Something was found damaged and made void: where, and what is wrong with it.</summary>
    public event Action<string, string>? Damaged
    {
        add => _cells.Damaged += value;
        remove => _cells.Damaged -= value;
    }

    /// <summary>Entries that this object made void.</summary>
    public int VoidedHere => _voided;

    /// <summary>A path or an address, for people.</summary>
    public string Place => objects.Place;

    /// <summary>The place itself, for what else is kept there.</summary>
    public IObjectStore Objects => objects;

    internal Cells Cells => _cells;

    /// <summary>The whole path or address of an object, for people.</summary>
    public string Where(string objectPath) => objects.Where(objectPath);

    /// <summary>A path on this machine where an attempt writes an object before it is put. The folder exists.</summary>
    public string ScratchPath(PartAttempt attempt, string objectName)
    {
        var (folder, file) = (ScratchOf(attempt), StoreNames.ObjectFile(objectName));
        StoreErrors.Guard("create", folder, () => Directory.CreateDirectory(folder));
        return Path.Combine(folder, file);
    }

    /// <summary>A scratch file that an earlier attempt left on this machine; null where there is none.</summary>
    public string? FindScratch(PartAttempt attempt, string objectName) =>
        Path.Combine(ScratchOf(attempt), StoreNames.ObjectFile(objectName)) is var path && File.Exists(path) ? path : null;

    /// <summary>Makes a finished scratch file durable as an object of its attempt; the scratch file is gone afterwards.</summary>
    /// <returns>The object's path within the store, for the manifest.</returns>
    public Task<string> PutAsync(PartAttempt attempt, string objectName, CancellationToken cancellationToken) =>
        StoreInstruments.TimeAsync("put", async () =>
        {
            var name = StoreNames.Object(attempt, objectName);
            var scratch = Path.Combine(ScratchOf(attempt), StoreNames.ObjectFile(objectName));
            if (File.Exists(scratch))
                await objects.PutAsync(name, scratch, cancellationToken);
            // Otherwise an earlier try got as far as the object.
            else if (await objects.LengthAsync(name, cancellationToken) is null)
                throw new StoreException($"the scratch file {scratch} is gone: run the same command again");
            return name;
        });

    /// <summary>
    /// Publishes a manifest if its rows have none. False when another attempt was quicker, or when this one was fenced or made void; true
    /// also when this very manifest is there already, because the answer to an earlier call may have been lost.
    /// </summary>
    /// <exception cref="StoreException">An object was not put, or the place failed; then the same call may be made again.</exception>
    public Task<bool> PublishAsync(PartManifest manifest, CancellationToken cancellationToken)
    {
        if (CellDocument.ManifestFault(manifest.StageKey, manifest) is { } fault)
            throw new ArgumentException(
                $"The manifest of rows {manifest.Rows} of stage {manifest.StageKey} cannot be published: {fault}.", nameof(manifest));
        return StoreInstruments.TimeAsync("publish", async () =>
        {
            while (true)
            {
                var cell = await _cells.ReadAsync(manifest.StageKey, CellGrid.StartOf(manifest.RowStart), cancellationToken);
                if (cell.Content.Manifests.Where(manifest.Rivals).ToList() is { Count: > 0 } rivals)
                    return rivals.Any(m => m.Attempt == manifest.Attempt && m.Rows == manifest.Rows);
                if (cell.Content.Fenced.Contains(manifest.Attempt) || cell.Content.Void.Any(v => v.Attempt == manifest.Attempt))
                    return false;
                // After the cell was read: who deletes objects writes the cell first, so that either this check or the write below fails.
                await RequireObjectsAsync(manifest, cancellationToken);
                if (await _cells.TryWriteAsync(cell, cell.Content.With(cell.Content.Manifests.Add(manifest)), cancellationToken))
                    return true;
                // Another one was quicker with rows of the same cell, or the answer to an earlier request of ours was lost.
            }
        });
    }

    /// <summary>The manifests of a stage that hold any of these rows, by row. Only the cells of these rows are read.</summary>
    public Task<ImmutableArray<PartManifest>> ListAsync(string stageKey, RowRange rows, CancellationToken cancellationToken) =>
        StoreInstruments.TimeAsync("list", async () =>
        {
            var manifests = ImmutableArray.CreateBuilder<PartManifest>();
            await foreach (var cell in _cells.ListAsync(stageKey, rows, cancellationToken))
                manifests.AddRange(cell.Content.Manifests.Where(m => !m.Rows.Intersect(rows).IsEmpty));
            return manifests.ToImmutable();
        });

    /// <summary>All manifests of a stage, by row.</summary>
    public Task<ImmutableArray<PartManifest>> ListAsync(string stageKey, CancellationToken cancellationToken) =>
        ListAsync(stageKey, new(0, int.MaxValue), cancellationToken);

    /// <summary>Opens an object for reading at any offset; null when it is gone.</summary>
    /// <exception cref="StoreException">The path is not that of an object, or the place failed.</exception>
    public IObjectReader? Open(string objectPath) => StoreNames.AttemptOf(objectPath) is not null
        ? objects.Open(objectPath)
        : throw new StoreException($"'{ObjectNames.Shown(objectPath)}' is not a path of an object in the store {Place}");

    /// <summary>The object's path on this machine, when it is a plain file here; null otherwise.</summary>
    public string? LocalPath(string objectPath) => StoreNames.AttemptOf(objectPath) is null ? null : objects.LocalPath(objectPath);

    /// <summary>
    /// Takes an entry that cannot be read out of its cell, so that its rows are unpublished and are computed again. The entry's attempt is
    /// remembered there as void. Idempotent.
    /// </summary>
    public async Task VoidAsync(PartManifest entry, string reason, CancellationToken cancellationToken)
    {
        var voided = false;
        await _cells.ChangeAsync(entry.StageKey, CellGrid.StartOf(entry.RowStart), content =>
        {
            var rest = content.Manifests.RemoveAll(
                m => m.Attempt == entry.Attempt && m.Rows == entry.Rows && m.Supplement == entry.Supplement);
            voided = rest.Length < content.Manifests.Length;
            return !voided ? null : content.With(rest) with
            {
                Void = content.Void.Add(
                    new(entry.RowStart, entry.RowEnd, entry.Attempt, reason, (time ?? TimeProvider.System).GetUtcNow())),
            };
        }, cancellationToken);
        if (!voided)
            return;
        Interlocked.Increment(ref _voided);
        StoreInstruments.Voided.Add(1);
    }

    /// <summary>
    /// Notes that other bytes were computed for published rows than those that count, once for each pair of devices. What is not published
    /// any more is not noted. Idempotent.
    /// </summary>
    /// <param name="published">What counts.</param>
    /// <param name="other">What was computed too.</param>
    /// <param name="names">The tensors that differ.</param>
    public Task DisagreeAsync(
        PartManifest published, PartManifest other, ImmutableArray<string> names, CancellationToken cancellationToken)
    {
        var found = new Disagreement(
            published.RowStart, published.RowEnd, names, Maker.Of(published), Maker.Of(other), (time ?? TimeProvider.System).GetUtcNow());
        return _cells.ChangeAsync(published.StageKey, CellGrid.StartOf(published.RowStart), content =>
        {
            var known = content.Disagreements.Where(d => content.Manifests.Any(m => m.Attempt == d.Published.Attempt)).ToList();
            return content.Manifests.All(m => m.Attempt != published.Attempt || m.Rows != published.Rows)
                || known.Count >= Disagreement.MostInACell
                || known.Any(d => d.Published == found.Published && d.Rows == found.Rows && SamePlace(d.Other, found.Other))
                ? null
                : content with { Disagreements = [.. known, found] };
        }, cancellationToken);

        static bool SamePlace(Maker one, Maker two) => (one.Silo, one.Host, one.Device) == (two.Silo, two.Host, two.Device);
    }

    /// <summary>
    /// Deletes what an attempt wrote and did not publish. The attempt is fenced first: a publication of it that is still on its way fails.
    /// Idempotent.
    /// </summary>
    /// <param name="keepScratch">Whether its scratch files stay, because the next attempt may go on with them.</param>
    /// <returns>The number of objects deleted.</returns>
    public async Task<int> DeleteAttemptAsync(PartAttempt attempt, CancellationToken cancellationToken, bool keepScratch = false)
    {
        if (!keepScratch)
            DeleteFolder(ScratchOf(attempt));
        var names = await objects.ListAsync(StoreNames.ObjectsOf(attempt), cancellationToken).Select(o => o.Name)
            .ToListAsync(cancellationToken);
        if (names.Count == 0)
            return 0;
        var cell = await _cells.ChangeAsync(
            attempt.StageKey, CellGrid.StartOf(attempt.RowStart),
            content => names.All(Named(content).Contains) || content.Fenced.Contains(attempt.Id)
                ? null
                : content with { Fenced = content.Fenced.Add(attempt.Id) },
            cancellationToken);
        var unnamed = names.Except(Named(cell.Content)).ToList();
        foreach (var name in unnamed)
            await objects.DeleteAsync(name, cancellationToken);
        return unnamed.Count;
    }

    /// <summary>Writes down what a stage is, for people who look into the store and for <c>store ls</c>. Idempotent.</summary>
    public async Task DescribeStageAsync(string stageKey, StageSpec spec, CancellationToken cancellationToken)
    {
        if (_described.ContainsKey(stageKey))
            return;
        var fields = StageKey.Fields(spec).ToDictionary(f => f.Name, f => f.Value);
        // One that is there is as good: equal keys have equal descriptions.
        await objects.TryCreateAsync(
            StoreNames.Description(stageKey), StoreJson.Write(new StageDescription(stageKey, fields, spec)), cancellationToken);
        if (_described.Count >= MostDescribed)
            _described.Clear();
        _described[stageKey] = true;
    }

    /// <summary>True when the store holds a stage. A stage is described before anything of it is computed.</summary>
    public async Task<bool> HasStageAsync(string stageKey, CancellationToken cancellationToken) =>
        await objects.LengthAsync(StoreNames.Description(stageKey), cancellationToken) is not null;

    /// <summary>Removes a stage with all its parts. Only for stages that nobody computes.</summary>
    public async Task RemoveStageAsync(string stageKey, CancellationToken cancellationToken)
    {
        _described.TryRemove(stageKey, out _);
        // Its description first, so that nobody believes in it, then its cells: a crash leaves objects that nothing names.
        await objects.DeleteAsync(StoreNames.Description(stageKey), cancellationToken);
        await objects.DeleteAllAsync(StoreNames.Cells(stageKey), cancellationToken);
        await objects.DeleteAllAsync(StoreNames.Stage(stageKey), cancellationToken);
        _cells.Drop(stageKey);
    }

    internal static void DeleteFolder(string folder) => StoreErrors.Guard("delete", folder, () =>
    {
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
        return true;
    });

    internal string ScratchOf(PartAttempt attempt) =>
        Path.Combine(objects.Scratch, $"{StoreNames.CheckedKey(attempt.StageKey)}-{attempt.Name}");

    static HashSet<string> Named(CellDocument content) => [.. content.Manifests.SelectMany(m => m.Objects).Select(o => o.Path)];

    async Task RequireObjectsAsync(PartManifest manifest, CancellationToken cancellationToken)
    {
        foreach (var entry in manifest.Objects)
        {
            if (await objects.LengthAsync(entry.Path, cancellationToken) is not { } bytes)
                throw new StoreException(
                    $"rows {manifest.Rows} of stage {manifest.StageKey} cannot be published: the object {Where(entry.Path)} is not there");
            if (bytes < entry.DataOffset + entry.Bytes)
                throw new StoreException(
                    $"rows {manifest.Rows} of stage {manifest.StageKey} cannot be published: the object {Where(entry.Path)} has {bytes} "
                    + "bytes "
                    + $"and should have {entry.DataOffset + entry.Bytes}");
        }
    }
}

using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Taba.Storage.Objects;

namespace Taba.Storage.Manifests;

/// <summary>
/// Reads published rows of a stage, whatever parts they were published in. Each object's digest is checked the first time it is
/// read. Safe for several threads.
/// </summary>
public sealed class StageReader : IDisposable
{
    /// <summary>As much as one request to an account may well fetch.</summary>
    const int ChunkBytes = 1 << 20;

    readonly TensorStore _store;
    readonly string _stageKey;
    readonly Dictionary<int, PartManifest[]> _cells;
    readonly ConcurrentDictionary<string, Lazy<IObjectReader>> _objects = new();

    StageReader(TensorStore store, string stageKey, ImmutableArray<PartManifest> manifests)
    {
        (_store, _stageKey, Manifests) = (store, stageKey, manifests);
        _cells = manifests.GroupBy(m => CellGrid.StartOf(m.RowStart)).ToDictionary(cell => cell.Key, cell => cell.ToArray());
    }

    /// <summary>The manifests of the rows as they were when it was opened.</summary>
    public ImmutableArray<PartManifest> Manifests { get; }

    /// <summary>Reads the cells of these rows and no others.</summary>
    public static async Task<StageReader> OpenAsync(
        TensorStore store, string stageKey, RowRange rows, CancellationToken cancellationToken) =>
        new(store, stageKey, await store.ListAsync(stageKey, rows, cancellationToken));

    /// <summary>Reads rows of the result into consecutive float32 rows.</summary>
    /// <exception cref="DamagedRowsException">A row is not published, or its object is damaged.</exception>
    public void ReadResult(RowRange rows, Span<byte> destination) => Read(TensorKinds.None, step: null, rows, destination);

    /// <summary>Reads rows of one step of a kept tensor.</summary>
    /// <exception cref="DamagedRowsException">A row is not published with it, or its object is damaged.</exception>
    public void ReadKept(TensorKinds kind, int step, RowRange rows, Span<byte> destination) => Read(kind, step, rows, destination);

    /// <summary>Checks the digest of an object, unless it was read before.</summary>
    /// <exception cref="DamagedRowsException">It is damaged.</exception>
    public void Check(PartManifest manifest, ObjectEntry entry) => _ = Object(manifest, entry);

    /// <summary>Rows that can be read.</summary>
    public RowSet Rows(TensorKinds kind, int? step) => RowSet.Of([.. Manifests.Where(m => Holds(m, kind, step)).Select(m => m.Rows)]);

    public void Dispose()
    {
        foreach (var reader in _objects.Values.Where(r => r.IsValueCreated))
            reader.Value.Dispose();
        _objects.Clear();
    }

    void Read(TensorKinds kind, int? step, RowRange rows, Span<byte> destination)
    {
        if (rows.IsEmpty)
            return;
        var rowBytes = destination.Length / rows.Count;
        for (var row = rows.Start; row < rows.End;)
        {
            var manifest = _cells.GetValueOrDefault(CellGrid.StartOf(row), []).FirstOrDefault(
                m => m.Rows.Start <= row && row < m.Rows.End && Holds(m, kind, step))
                ?? throw new DamagedRowsException(
                    _stageKey, rows, null,
                    $"row {row} of stage {_stageKey} is not in the store{(step is null ? "" : $" with {kind} of step {step}")}: run the "
                    + "same command again to compute it");
            var entry = manifest.Object(kind)!;
            var piece = new RowRange(row, Math.Min(rows.End, manifest.RowEnd));
            var index = step is { } s ? (long)entry.Steps.AsSpan().BinarySearch(s) * manifest.Rows.Count : 0;
            var offset = entry.DataOffset + (index + row - manifest.RowStart) * rowBytes;
            Object(manifest, entry).Read(offset, destination.Slice((row - rows.Start) * rowBytes, piece.Count * rowBytes));
            row = piece.End;
        }
    }

    static bool Holds(PartManifest manifest, TensorKinds kind, int? step) =>
        manifest.Object(kind) is { } entry && (step is not { } s || entry.Steps.AsSpan().BinarySearch(s) >= 0);

    IObjectReader Object(PartManifest manifest, ObjectEntry entry)
    {
        var opened = _objects.GetOrAdd(entry.Path, _ => new(() => OpenChecked(_store, manifest, entry)));
        try
        {
            return opened.Value;
        }
        catch
        {
            // It would fail in the same way for ever: the place may be well again when it is asked next.
            _objects.TryRemove(new(entry.Path, opened));
            throw;
        }
    }

    /// <summary>
    /// Opens an object whose bytes have their digest. What seems damaged is read once more: a way may err and not the place.
    /// </summary>
    internal static IObjectReader OpenChecked(TensorStore store, PartManifest manifest, ObjectEntry entry)
    {
        for (var attempt = 1; ; attempt++)
        {
            var reader = store.Open(entry.Path);
            var fault = "is gone";
            try
            {
                if (reader is not null && (fault = Fault(reader, entry)) is null)
                    return Interlocked.Exchange(ref reader, null)!;
            }
            finally
            {
                reader?.Dispose();
            }
            if (attempt > 1)
                throw new DamagedRowsException(
                    manifest.StageKey, manifest.Rows, manifest,
                    $"the object {store.Where(entry.Path)} {fault}: rows {manifest.Rows} of stage {manifest.StageKey} are computed again");
        }
    }

    /// <summary>What is wrong with an object's bytes; null when nothing is.</summary>
    static string? Fault(IObjectReader reader, ObjectEntry entry)
    {
        if (reader.Length < entry.DataOffset + entry.Bytes)
            return $"has {reader.Length} bytes and should have {entry.DataOffset + entry.Bytes}";
        return Digest(reader, entry) == entry.Sha256 ? null : "does not have the digest of its manifest";
    }

    static string Digest(IObjectReader reader, ObjectEntry entry)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(ChunkBytes, Math.Max(1, entry.Bytes)));
        try
        {
            for (long at = 0; at < entry.Bytes;)
            {
                var chunk = buffer.AsSpan(0, (int)Math.Min(Math.Min(buffer.Length, ChunkBytes), entry.Bytes - at));
                reader.Read(entry.DataOffset + at, chunk);
                hash.AppendData(chunk);
                at += chunk.Length;
            }
            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

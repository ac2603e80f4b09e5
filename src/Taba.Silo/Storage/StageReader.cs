using System.Buffers;
using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Taba.Silo.Storage;

/// <summary>
/// Reads a stage's published rows, whatever parts they were published in. Each object's digest is checked the first time it is
/// read. Safe for several threads.
/// </summary>
public sealed class StageReader : IDisposable
{
    /// <summary>As much as one request to an account may well fetch.</summary>
    const int ChunkBytes = 1 << 20;

    readonly ITensorStore _store;
    readonly string _stageKey;
    readonly ImmutableArray<PartManifest> _manifests;
    readonly ConcurrentDictionary<string, Lazy<IObjectReader>> _objects = new();

    StageReader(ITensorStore store, string stageKey, ImmutableArray<PartManifest> manifests) =>
        (_store, _stageKey, _manifests) = (store, stageKey, manifests);

    /// <summary>The stage's manifests as they were when it was opened.</summary>
    public ImmutableArray<PartManifest> Manifests => _manifests;

    public static async Task<StageReader> OpenAsync(ITensorStore store, string stageKey, CancellationToken cancellationToken) =>
        new(store, stageKey, await store.ListAsync(stageKey, cancellationToken));

    /// <summary>Reads rows of the result into consecutive float32 rows.</summary>
    /// <exception cref="StoreException">A row is not published, or an object is damaged.</exception>
    public void ReadResult(RowRange rows, Span<byte> destination) => Read(TensorKinds.None, step: null, rows, destination);

    /// <summary>Reads rows of one step of a kept tensor.</summary>
    public void ReadKept(TensorKinds kind, int step, RowRange rows, Span<byte> destination) => Read(kind, step, rows, destination);

    /// <summary>Checks the digest of an object, unless it was read before.</summary>
    /// <exception cref="StoreException">It is damaged.</exception>
    public void Check(ObjectEntry entry) => _ = Object(entry);

    /// <summary>Rows that can be read.</summary>
    public RowSet Rows(TensorKinds kind, int? step) =>
        RowSet.Of([.. _manifests.Where(m => Holds(m, kind, step)).Select(m => m.Rows)]);

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
            var manifest = _manifests.FirstOrDefault(m => m.Rows.Start <= row && row < m.Rows.End && Holds(m, kind, step))
                ?? throw new StoreException(
                    $"Row {row} of stage {_stageKey} is not in the store{(step is null ? "" : $" with {kind} of step {step}")}: run the "
                    + "same command again to compute it.");
            var entry = manifest.Object(kind)!;
            var piece = new RowRange(row, Math.Min(rows.End, manifest.RowEnd));
            var index = step is { } s ? (long)entry.Steps.AsSpan().BinarySearch(s) * manifest.Rows.Count : 0;
            var offset = entry.DataOffset + (index + row - manifest.RowStart) * rowBytes;
            Object(entry).Read(offset, destination.Slice((row - rows.Start) * rowBytes, piece.Count * rowBytes));
            row = piece.End;
        }
    }

    static bool Holds(PartManifest manifest, TensorKinds kind, int? step) =>
        manifest.Object(kind) is { } entry && (step is not { } s || entry.Steps.AsSpan().BinarySearch(s) >= 0);

    IObjectReader Object(ObjectEntry entry) => _objects.GetOrAdd(entry.Path, _ => new(() => OpenChecked(entry))).Value;

    IObjectReader OpenChecked(ObjectEntry entry)
    {
        var reader = _store.Open(entry.Path);
        if (Digest(reader, entry) == entry.Sha256)
            return reader;
        reader.Dispose();
        throw new StoreException(
            $"{entry.Path} is damaged: its bytes do not have the digest of its manifest. Remove its stage with 'taba store prune "
            + $"--stage {_stageKey}'; the same command then computes it anew.");
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

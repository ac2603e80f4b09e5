using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Taba.Storage.Objects;

namespace Taba.Storage.Manifests;

/// <summary>The content of a version of a cell: which attempts' objects are its rows.</summary>
/// <param name="Manifests">What is published, by row.</param>
/// <param name="Void">What was published and found damaged: kept, so that whoever published it is not told that it still is.</param>
/// <param name="Fenced">Attempts whose objects were deleted, or are about to be: they can publish nothing any more.</param>
sealed record CellDocument(
    int Schema, ImmutableArray<PartManifest> Manifests, ImmutableArray<VoidEntry> Void, ImmutableArray<Guid> Fenced)
{
    public const int CurrentSchema = 2;

    /// <summary>A cell's document has a handful of manifests; 1000 kept steps of three kinds are 20 KB each.</summary>
    public const int MostBytes = 64 << 20;

    static readonly int s_headBytes = Head([]).Length;

    public static readonly CellDocument Empty = new(CurrentSchema, [], [], []);

    /// <summary>Computations of published rows that gave other bytes. A document of an earlier version has no such field.</summary>
    public ImmutableArray<Disagreement> Disagreements { get => field.IsDefault ? [] : field; init; } = [];

    /// <summary>The document with these manifests, in the order of their rows.</summary>
    public CellDocument With(IEnumerable<PartManifest> manifests) =>
        this with { Manifests = [.. manifests.OrderBy(m => m.RowStart).ThenBy(m => m.Supplement).ThenBy(m => m.Epoch)] };

    /// <summary>
    /// The document as it is stored: its first field is the digest of all that follows, whatever the schema. One flipped bit elsewhere
    /// could be as good a document that gives rows other numbers.
    /// </summary>
    public byte[] Write()
    {
        var rest = StoreJson.Write(this).AsSpan(1);
        return [.. Head(rest), .. rest];
    }

    /// <summary>Reads a document and believes nothing: a store may come from anywhere.</summary>
    /// <exception cref="DamagedDocumentException">It is damaged, or speaks of something else than its name says.</exception>
    /// <exception cref="StoreException">A newer version wrote it.</exception>
    public static CellDocument Parse(string stageKey, int start, ReadOnlySpan<byte> bytes)
    {
        // Before anything else: also the number of the schema may be damaged.
        if (bytes.Length < s_headBytes || !bytes.StartsWith(Head(bytes[s_headBytes..])))
            throw new DamagedDocumentException("it does not have its digest");
        CellDocument document;
        try
        {
            if (StoreJson.Read<CellSchema>(bytes).Schema > CurrentSchema)
                throw new StoreException(
                    $"a newer version of Taba wrote a cell of stage {stageKey} (schema {StoreJson.Read<CellSchema>(bytes).Schema}, this "
                    + "one "
                    + $"knows {CurrentSchema}): use that version, or another store");
            document = StoreJson.Read<CellDocument>(bytes);
        }
        catch (JsonException exception)
        {
            throw new DamagedDocumentException(exception.Message.TrimEnd('.'));
        }
        return document.Fault(stageKey, start) is { } fault ? throw new DamagedDocumentException(fault) : document;
    }

    static byte[] Head(ReadOnlySpan<byte> rest) =>
        Encoding.ASCII.GetBytes($"{{\n  \"sha256\": \"{Convert.ToHexStringLower(SHA256.HashData(rest))}\",");

    /// <summary>What is wrong with the document, in words; null when nothing is.</summary>
    string? Fault(string stageKey, int start)
    {
        if (Manifests.IsDefault || Void.IsDefault || Fenced.IsDefault || Manifests.Any(m => m is null) || Void.Any(v => v is null))
            return "it lacks its manifests";
        if (Disagreements.Any(d => d is null || d.Names.IsDefault || d.Published is null || d.Other is null))
            return "a disagreement lacks who disagrees";
        if (Manifests.Select(m => ManifestFault(stageKey, m)).FirstOrDefault(f => f is not null) is { } fault)
            return fault;
        if (Manifests.FirstOrDefault(m => CellGrid.StartOf(m.RowStart) != start) is { } elsewhere)
            return $"it speaks of rows {elsewhere.Rows}";
        for (var i = 0; i < Manifests.Length; i++)
        {
            if (Manifests[..i].Any(m => m.Rivals(Manifests[i])))
                return "two of its manifests hold the same rows";
        }
        return null;
    }

    /// <summary>What is wrong with a manifest, in words; null when nothing is.</summary>
    public static string? ManifestFault(string stageKey, PartManifest manifest)
    {
        if (manifest.StageKey != stageKey)
            return $"it speaks of stage {manifest.StageKey}";
        if (manifest.RowStart < 0 || manifest.RowEnd <= manifest.RowStart)
            return $"it speaks of rows [{manifest.RowStart}, {manifest.RowEnd})";
        if (!CellGrid.IsWithinOne(manifest.Rows))
            return $"its rows [{manifest.RowStart}, {manifest.RowEnd}) do not lie in one cell of {CellGrid.Rows}";
        if (manifest.Objects.IsDefaultOrEmpty)
            return "it names no objects";
        if (manifest.Objects.Any(o => o is null || o.Steps.IsDefault || o.Shape.IsDefault))
            return "an object lacks its steps or shape";
        if (manifest.Objects.FirstOrDefault(o => !IsOwn(stageKey, manifest, o.Path)) is { } outside)
            return $"the path '{outside.Path}' is not one of its attempt's objects";
        if (manifest.Objects.FirstOrDefault(o => o.DataOffset < 0 || o.Bytes < 0 || o.DataOffset > long.MaxValue - o.Bytes) is { } sizes)
            return $"the object {sizes.Name} claims {sizes.Bytes} bytes at {sizes.DataOffset}";
        return null;
    }

    /// <summary>What fences an attempt looks at its own cell: no other one may name its objects.</summary>
    static bool IsOwn(string stageKey, PartManifest manifest, string path) =>
        StoreNames.AttemptOf(path) is { } attempt && attempt.StageKey == stageKey && attempt.Id == manifest.Attempt
        && CellGrid.StartOf(attempt.RowStart) == CellGrid.StartOf(manifest.RowStart);
}

/// <summary>The part of a cell's document that says whether the rest can be read.</summary>
sealed record CellSchema(int Schema);

/// <summary>Something that was published, or a version of a cell, that was found damaged.</summary>
/// <param name="RowStart">Its first row; that of the cell for a version.</param>
/// <param name="RowEnd">The row after its last.</param>
/// <param name="Attempt">Who published it; null for a version of a cell.</param>
/// <param name="Reason">What is wrong with it.</param>
/// <param name="VoidedAt">When it was found.</param>
sealed record VoidEntry(int RowStart, int RowEnd, Guid? Attempt, string Reason, DateTimeOffset VoidedAt);

/// <summary>A document of the store cannot be read, though the store answers.</summary>
sealed class DamagedDocumentException(string message) : Exception(message);

using System.Text.Json;

namespace Taba.Diffusion.Weights;

/// <summary>
/// Remembers digests by path, size and time of last change in a JSON file, so that gigabytes are hashed once. The file is
/// only a memory: when it is absent, damaged or cannot be written, digests are computed. Safe for several threads; several
/// processes may share the file, and at worst one forgets what another found.
/// </summary>
/// <param name="cacheFile">The file.</param>
/// <param name="readOnly">Only what is remembered already is used; the file stays as it is.</param>
public sealed class WeightDigestCache(string cacheFile, bool readOnly = false)
{
    static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    readonly Lock _lock = new();

    /// <summary>The SHA-256 of a file, remembered or computed.</summary>
    /// <returns>64 lower-case hexadecimal digits.</returns>
    /// <exception cref="IOException">The file is absent or cannot be read.</exception>
    public string Get(string path, CancellationToken cancellation = default)
    {
        var full = RealPath(path);
        var before = Stamp(full);
        lock (_lock)
        {
            if (before is not null && ReadEntries().TryGetValue(full, out var entry) && entry.Matches(before))
                return entry.Sha256;
        }

        var digest = WeightDigest.Compute(path, cancellation);

        // A file that changed while it was read has a digest of nothing; it is not remembered.
        if (!readOnly && before is not null && before == Stamp(full))
        {
            lock (_lock)
                Remember(full, before with { Sha256 = digest });
        }

        return digest;
    }

    /// <summary>
    /// The digest of weights in several files, as <see cref="WeightDigest.Combine"/> defines it; each file is remembered by itself.
    /// </summary>
    /// <exception cref="IOException">A file is absent or cannot be read.</exception>
    public string Get(IReadOnlyList<string> paths, CancellationToken cancellation = default) =>
        WeightDigest.Combine([.. paths.Select(path => Get(path, cancellation))]);

    /// <summary>The target of a link of a hub cache: size and time are the file's, not the link's.</summary>
    static string RealPath(string path)
    {
        var full = Path.GetFullPath(path);
        try
        {
            return File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full;
        }
        catch (IOException)
        {
            return full; // absent, or links in a circle: opening it says so
        }
    }

    static Entry? Stamp(string full)
    {
        var info = new FileInfo(full);
        return info.Exists ? new Entry(info.Length, info.LastWriteTimeUtc.Ticks, "") : null;
    }

    void Remember(string full, Entry entry)
    {
        var temporary = $"{cacheFile}.tmp-{Guid.NewGuid():n}";
        try
        {
            var entries = ReadEntries();
            entries[full] = entry;
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(cacheFile))!);
            File.WriteAllBytes(temporary, JsonSerializer.SerializeToUtf8Bytes(entries, s_json));
            File.Move(temporary, cacheFile, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            if (File.Exists(temporary))
                File.Delete(temporary);
        }
    }

    Dictionary<string, Entry> ReadEntries()
    {
        try
        {
            var entries = JsonSerializer.Deserialize<Dictionary<string, Entry?>>(File.ReadAllBytes(cacheFile)) ?? [];
            return entries.Where(pair => pair.Value is { Sha256.Length: 64 })
                .ToDictionary(pair => pair.Key, pair => pair.Value!, StringComparer.Ordinal);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            return new Dictionary<string, Entry>(StringComparer.Ordinal);
        }
    }

    sealed record Entry(long Size, long ModifiedTicks, string Sha256)
    {
        public bool Matches(Entry stamp) => Size == stamp.Size && ModifiedTicks == stamp.ModifiedTicks;
    }
}

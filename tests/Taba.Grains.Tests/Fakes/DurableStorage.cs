using System.Collections.Concurrent;
using Orleans.Serialization;
using Orleans.Storage;

namespace Taba.Grains.Tests.Fakes;

/// <summary>The bytes that a database would hold: they outlive silos.</summary>
sealed class GrainStateTable
{
    readonly ConcurrentDictionary<string, (byte[] Bytes, string ETag)> _rows = new();
    readonly ConcurrentDictionary<string, int> _writesByKey = new();
    int _writes;

    /// <summary>Makes writes of grains whose id contains a text fail.</summary>
    public string? FailWritesOf { get; set; }

    /// <summary>What a read of a row waits for; null when nothing does.</summary>
    public Func<string, Task>? BeforeRead { get; set; }

    /// <summary>What a write of a row waits for; null when nothing does.</summary>
    public Func<string, Task>? BeforeWrite { get; set; }

    public int Writes => _writes;

    /// <summary>Names of the states that there are.</summary>
    public IReadOnlyList<string> Keys => [.. _rows.Keys.Order(StringComparer.Ordinal)];

    /// <summary>Writes of grains whose id contains a text.</summary>
    public int WritesOf(string part) => _writesByKey.Where(k => k.Key.Contains(part, StringComparison.Ordinal)).Sum(k => k.Value);

    /// <summary>Bytes of the state of grains whose id contains a text.</summary>
    public int BytesOf(string part) => _rows.Where(k => k.Key.Contains(part, StringComparison.Ordinal)).Sum(k => k.Value.Bytes.Length);

    public (byte[] Bytes, string ETag)? Find(string key) => _rows.TryGetValue(key, out var row) ? row : null;

    /// <summary>The states whose key begins with a text.</summary>
    public IReadOnlyList<byte[]> All(string prefix) =>
        [.. _rows.Where(r => r.Key.StartsWith(prefix, StringComparison.Ordinal)).Select(r => r.Value.Bytes)];

    public string Write(string key, byte[] bytes, string? etag)
    {
        if (FailWritesOf is { } part && key.Contains(part, StringComparison.Ordinal))
            throw new IOException($"no space left to write {key}");
        if (Find(key)?.ETag != etag)
            throw new InconsistentStateException($"{key} was written by another activation");
        var next = Interlocked.Increment(ref _writes).ToString();
        _rows[key] = (bytes, next);
        _writesByKey.AddOrUpdate(key, 1, (_, count) => count + 1);
        return next;
    }

    public void Clear(string key, string? etag)
    {
        if (FailWritesOf is { } part && key.Contains(part, StringComparison.Ordinal))
            throw new IOException($"{key} cannot be cleared");
        if (Find(key)?.ETag != etag)
            throw new InconsistentStateException($"{key} was written by another activation");
        Delete(key);
    }

    public void Delete(string key) => _rows.TryRemove(key, out _);

    /// <summary>Loses the state of grains whose id contains a text.</summary>
    public void Lose(string part)
    {
        foreach (var key in _rows.Keys.Where(k => k.Contains(part, StringComparison.Ordinal)))
            Delete(key);
    }
}

/// <summary>Grain storage over a <see cref="GrainStateTable"/>, serialized as the real providers do.</summary>
sealed class DurableStorage(Serializer serializer, GrainStateTable table) : IGrainStorage
{
    public async Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (table.BeforeRead is { } wait)
            await wait($"{stateName}/{grainId}");
        if (table.Find($"{stateName}/{grainId}") is var (bytes, etag))
            (grainState.State, grainState.ETag, grainState.RecordExists) = (serializer.Deserialize<T>(bytes)!, etag, true);
        else
            (grainState.State, grainState.ETag, grainState.RecordExists) = (Activator.CreateInstance<T>(), null, false);
    }

    public async Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var bytes = serializer.SerializeToArray(grainState.State);
        // As a database would: the turn ends here, and other calls come in between.
        await Task.Yield();
        if (table.BeforeWrite is { } wait)
            await wait($"{stateName}/{grainId}");
        grainState.ETag = table.Write($"{stateName}/{grainId}", bytes, grainState.ETag);
        grainState.RecordExists = true;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        table.Clear($"{stateName}/{grainId}", grainState.ETag);
        (grainState.State, grainState.ETag, grainState.RecordExists) = (Activator.CreateInstance<T>(), null, false);
        return Task.CompletedTask;
    }
}

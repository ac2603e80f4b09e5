using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Taba.Diffusion.Weights;

/// <summary>
/// A checkpoint in several files. Opening reads the shards' headers, so that an index that does not tell the truth is found at
/// once; a shard is mapped when its first tensor is loaded.
/// </summary>
sealed class ShardedWeights : IWeightSource, IDisposable
{
    const int Listed = 20;

    readonly Dictionary<string, WeightsFile> _shards = new(StringComparer.Ordinal);
    readonly IReadOnlyDictionary<string, string> _map;
    readonly string _indexPath;

    ShardedWeights(string indexPath, IReadOnlyDictionary<string, string> map)
    {
        _indexPath = indexPath;
        _map = map;
        Names = [.. map.Keys];
    }

    public string Description => _indexPath;

    public IReadOnlyCollection<string> Names { get; }

    /// <summary>The paths of the shards in ordinal order of their names.</summary>
    public IReadOnlyList<string> Files =>
        [.. _shards.OrderBy(shard => shard.Key, StringComparer.Ordinal).Select(shard => shard.Value.Description)];

    /// <exception cref="InvalidDataException">
    /// A shard is missing, or index and shards do not agree; all such names are in the message.
    /// </exception>
    /// <exception cref="WeightsFormatException">A shard is damaged.</exception>
    public static ShardedWeights Open(WeightSet set)
    {
        var weights = new ShardedWeights(set.EntryPath, ShardIndex.Read(set));
        try
        {
            weights.OpenShards(set.Folder);
            weights.RequireAgreement();
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    public bool TryGetShape(string name, [NotNullWhen(true)] out long[]? shape)
    {
        shape = null;
        return _map.TryGetValue(name, out var shard) && _shards[shard].TryGetShape(name, out shape);
    }

    public Tensor Load(string name, ScalarType dtype, Device device) => _map.TryGetValue(name, out var shard)
        ? _shards[shard].Load(name, dtype, device)
        : throw new KeyNotFoundException($"{_indexPath} names no tensor '{name}'.");

    void OpenShards(string folder)
    {
        var missing = new List<string>();
        foreach (var name in _map.Values.Distinct(StringComparer.Ordinal))
        {
            try
            {
                _shards.Add(name, WeightsFile.Open(Path.Combine(folder, name)));
            }
            catch (FileNotFoundException)
            {
                missing.Add(name);
            }
        }

        if (missing.Count > 0)
            throw new InvalidDataException($"{_indexPath} names {Counted(missing, "shard")} not in its folder: {Shown(missing)}.");
    }

    void RequireAgreement()
    {
        var lacking = _map.Where(pair => !_shards[pair.Value].TryGetShape(pair.Key, out _)).Select(
            pair => $"{pair.Key} ({pair.Value})").ToList();
        if (lacking.Count > 0)
            throw new InvalidDataException(
                $"{_indexPath} promises {Counted(lacking, "tensor")} that the named shard does not hold: {Shown(lacking)}.");

        // A tensor that the index places elsewhere lies in two shards; one that it does not name would be lost without a word.
        var held = _shards.SelectMany(shard => shard.Value.Names.Select(name => (Name: name, Shard: shard.Key))).ToList();
        var twice = held.Where(item => _map.TryGetValue(item.Name, out var shard) && shard != item.Shard)
            .Select(item => $"{item.Name} ({_map[item.Name]} and {item.Shard})").ToList();
        if (twice.Count > 0)
            throw new InvalidDataException($"The shards of {_indexPath} hold {Counted(twice, "tensor")} twice: {Shown(twice)}.");

        var unnamed = held.Where(item => !_map.ContainsKey(item.Name)).Select(item => $"{item.Name} ({item.Shard})").ToList();
        if (unnamed.Count > 0)
            throw new InvalidDataException(
                $"The shards of {_indexPath} hold {Counted(unnamed, "tensor")} that its weight_map does not name: {Shown(unnamed)}.");
    }

    static string Counted(List<string> names, string what) => names.Count == 1 ? $"one {what}" : $"{names.Count} {what}s";

    static string Shown(List<string> names) =>
        string.Join(", ", names.Take(Listed)) + (names.Count > Listed ? $" and {names.Count - Listed} more" : "");

    public void Dispose()
    {
        foreach (var shard in _shards.Values)
            shard.Dispose();
    }
}

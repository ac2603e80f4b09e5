using System.Diagnostics.CodeAnalysis;
using static TorchSharp.torch;

namespace Taba.Diffusion.Weights;

/// <summary>
/// Shows a checkpoint from before diffusers 0.17 under the names used since: in an attention block that holds a
/// <c>proj_attn</c>, <c>query, key, value, proj_attn</c> are <c>to_q, to_k, to_v, to_out.0</c>. Their weights are linear maps even
/// where they were stored as 1x1 convolutions: [C,C,1,1] is seen as [C,C].
/// </summary>
sealed class OldAttentionNames : IWeightSource
{
    const string Mark = ".proj_attn.weight";

    static readonly Dictionary<string, string> s_newNames = new(StringComparer.Ordinal)
    {
        ["query"] = "to_q",
        ["key"] = "to_k",
        ["value"] = "to_v",
        ["proj_attn"] = "to_out.0",
    };

    readonly IWeightSource _source;

    /// <summary>New name to the source's name, for those that differ.</summary>
    readonly Dictionary<string, string> _oldNames;

    /// <summary>The source's names that are not shown.</summary>
    readonly HashSet<string> _hidden;

    OldAttentionNames(IWeightSource source, Dictionary<string, string> oldNames)
    {
        _source = source;
        _oldNames = oldNames;
        _hidden = oldNames.Values.ToHashSet(StringComparer.Ordinal);
        Names = [.. source.Names.Where(name => !_hidden.Contains(name)), .. oldNames.Keys];
    }

    public string Description => _source.Description;

    public IReadOnlyCollection<string> Names { get; }

    /// <summary>The source itself when it has no old names.</summary>
    /// <exception cref="InvalidDataException">The source holds a tensor under both its names.</exception>
    public static IWeightSource Over(IWeightSource source)
    {
        var blocks = source.Names.Where(name => name.EndsWith(Mark, StringComparison.Ordinal)).Select(name => name[..^Mark.Length])
            .ToHashSet(StringComparer.Ordinal);
        if (blocks.Count == 0)
            return source;

        var oldNames = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in source.Names)
        {
            if (Rename(name, blocks) is not { } renamed)
                continue;
            if (source.TryGetShape(renamed, out _))
                throw new InvalidDataException(
                    $"{source.Description} holds both '{name}' and '{renamed}', which is the same weight's name since diffusers 0.17.");
            oldNames.Add(renamed, name);
        }

        return new OldAttentionNames(source, oldNames);
    }

    public bool TryGetShape(string name, [NotNullWhen(true)] out long[]? shape)
    {
        if (!_oldNames.TryGetValue(name, out var old))
        {
            shape = null;
            return !_hidden.Contains(name) && _source.TryGetShape(name, out shape);
        }

        if (!_source.TryGetShape(old, out shape))
            return false;
        if (IsPointwise(shape))
            shape = shape[..2];
        return true;
    }

    public Tensor Load(string name, ScalarType dtype, Device device)
    {
        if (!_oldNames.TryGetValue(name, out var old))
        {
            return _hidden.Contains(name)
                ? throw new KeyNotFoundException($"{Description} shows '{name}' under its new name only.")
                : _source.Load(name, dtype, device);
        }

        var stored = _source.Load(old, dtype, device);
        if (!IsPointwise(stored.shape))
            return stored;
        using (stored)
            return stored.view(stored.shape[0], stored.shape[1]);
    }

    static bool IsPointwise(long[] shape) => shape.Length > 2 && Array.TrueForAll(shape[2..], length => length == 1);

    /// <summary>BLOCK.query.weight to BLOCK.to_q.weight; null for all that is no part of an old attention block.</summary>
    static string? Rename(string name, HashSet<string> blocks)
    {
        var last = name.LastIndexOf('.');
        var before = last <= 0 ? -1 : name.LastIndexOf('.', last - 1);
        return before > 0 && blocks.Contains(name[..before]) && s_newNames.TryGetValue(name[(before + 1)..last], out var renamed)
            ? $"{name[..before]}.{renamed}{name[last..]}"
            : null;
    }
}

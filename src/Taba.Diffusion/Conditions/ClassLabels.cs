using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Taba.Diffusion.Json;

namespace Taba.Diffusion.Conditions;

/// <summary>
/// The classes of a class-conditional model and their names: <c>id2label</c> of a pipeline's model_index.json, where a class has
/// one name or several, separated by commas.
/// </summary>
public sealed class ClassLabels
{
    const int MaxBytes = 16 << 20;
    const int MaxClasses = 1_000_000;

    readonly string[]? _names;

    // A name of several classes means the last of them, as in the pipeline.
    readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);
    readonly Dictionary<string, SortedSet<int>> _idsInAnyCase = new(StringComparer.OrdinalIgnoreCase);

    ClassLabels(int count, string[]? names)
    {
        Count = count;
        _names = names;
    }

    /// <summary>The number of classes; ids are 0 to this less one.</summary>
    public int Count { get; }

    /// <summary>False when classes are only numbers.</summary>
    public bool HasNames => _names is not null;

    /// <summary>Names the classes: equal digests are equal draws. 16 hexadecimal digits.</summary>
    public string Digest
    {
        get
        {
            var lines = _names is null ? [] : Enumerable.Range(0, Count).Select(id => $"{id} {Drawn(id)} {_names[id]}");
            return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Count}\n{string.Join('\n', lines)}")))[..16];
        }
    }

    /// <summary>Classes without names.</summary>
    public static ClassLabels Unnamed(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, MaxClasses);
        return new ClassLabels(count, null);
    }

    /// <summary>Reads the labels of a model_index.json; null when it has none.</summary>
    /// <exception cref="InvalidDataException">The file is no valid JSON, or its labels are not those of classes 0 to n - 1.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    public static ClassLabels? Read(string path)
    {
        try
        {
            using var document = StrictJson.Parse(InputFile.Read(path, MaxBytes, "a model_index.json"));
            return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("id2label", out var labels)
                && labels.ValueKind != JsonValueKind.Null
                ? FromJson(labels, path)
                : null;
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} is not valid JSON: {e.Message}", e);
        }
    }

    /// <summary>The labels of an <c>id2label</c> object.</summary>
    /// <param name="id2label">An object from ids, as text, to names.</param>
    /// <param name="source">The file, for messages.</param>
    /// <exception cref="InvalidDataException">The labels are not those of classes 0 to n - 1.</exception>
    public static ClassLabels FromJson(JsonElement id2label, string source)
    {
        if (id2label.ValueKind != JsonValueKind.Object)
            throw new InvalidDataException($"{source}: id2label is {id2label.ValueKind}; an object from ids to names is expected.");

        var labels = new Dictionary<int, string>();
        foreach (var property in id2label.EnumerateObject())
        {
            if (!int.TryParse(property.Name, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                throw new InvalidDataException($"{source}: id2label has the key '{Shown(property.Name)}', which is no class id.");
            if (property.Value.ValueKind != JsonValueKind.String || property.Value.GetString() is not { } label)
                throw new InvalidDataException($"{source}: id2label gives class {id} no name.");
            if (!labels.TryAdd(id, label))
                throw new InvalidDataException($"{source}: id2label names class {id} twice.");
        }

        return FromId2Label(labels, source);
    }

    /// <summary>The labels by id.</summary>
    /// <exception cref="InvalidDataException">The labels are not those of classes 0 to n - 1.</exception>
    public static ClassLabels FromId2Label(IReadOnlyDictionary<int, string> id2label, string source)
    {
        if (id2label.Count is 0 or > MaxClasses)
            throw new InvalidDataException($"{source}: id2label has {id2label.Count} classes; 1 to {MaxClasses} are expected.");

        var names = new string[id2label.Count];
        var labels = new ClassLabels(names.Length, names);
        for (var id = 0; id < names.Length; id++)
        {
            if (!id2label.TryGetValue(id, out var label))
                throw new InvalidDataException($"{source}: id2label has {names.Length} classes but none with id {id}.");
            var synonyms = label.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            if (synonyms.Length == 0)
                throw new InvalidDataException($"{source}: id2label gives class {id} no name.");
            names[id] = synonyms[0];
            labels.Add(id, synonyms);
        }

        return labels;
    }

    /// <summary>The first name of a class, or its number where classes have no names.</summary>
    public string NameOf(int id)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(id);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(id, Count);
        return _names?[id] ?? id.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// The class that a user means: one of its names exactly (of several classes the last one has it), the name in another case,
    /// or an id.
    /// </summary>
    /// <exception cref="InvalidDataException">There is no such class, or several; the message names the nearest.</exception>
    public int Find(string nameOrId)
    {
        var text = nameOrId.Trim();
        if (_ids.TryGetValue(text, out var exact))
            return exact;
        if (_idsInAnyCase.TryGetValue(text, out var ids))
        {
            return ids.Count == 1 ? ids.Min : throw new InvalidDataException(
                $"The class '{Shown(text)}' could be {string.Join(" or ", ids.Take(5).Select(id => $"{id} ({NameOf(id)})"))}; write its "
                + "id, or its name in the right case.");
        }

        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return number >= 0 && number < Count ? number : throw new InvalidDataException(
                $"The class {number} does not exist; ids are 0 to {Count - 1}.");
        }

        throw Unknown(text);
    }

    /// <summary>
    /// The id that a class draw gives for an index: that of the class which the name of class <paramref name="index"/> means.
    /// </summary>
    internal int Drawn(int index) => _names is null ? index : _ids[_names[index]];

    void Add(int id, string[] synonyms)
    {
        foreach (var synonym in synonyms)
        {
            _ids[synonym] = id;
            if (!_idsInAnyCase.TryGetValue(synonym, out var ids))
                _idsInAnyCase.Add(synonym, ids = []);
            ids.Add(id);
        }
    }

    InvalidDataException Unknown(string text)
    {
        if (!HasNames)
            return new InvalidDataException(
                $"The class '{Shown(text)}' does not exist: this model's classes have no names; ids are 0 to {Count - 1}.");
        var near = EditDistance.Nearest(text, _ids.Keys, most: 3);
        var meant = near.Count == 0 ? "" : $" near it are {string.Join(", ", near.Select(name => $"'{name}' ({_ids[name]})"))};";
        return new InvalidDataException($"The class '{Shown(text)}' does not exist;{meant} ids are 0 to {Count - 1}.");
    }

    static string Shown(string text) => text.Length <= 60 ? text : text[..60] + "...";
}

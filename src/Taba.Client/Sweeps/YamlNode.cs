using Taba.Grains;

namespace Taba.Client.Sweeps;

/// <summary>A node of a sweep file, with the place it came from for the sentences of refusals.</summary>
/// <param name="Where">File and line, or the override.</param>
abstract record YamlNode(string Where)
{
    public abstract string Kind { get; }

    public BadInputException Refuse(string sentence) => new($"{Where}: {sentence}");
}

/// <param name="Quoted">A quoted scalar is text, whatever it looks like.</param>
sealed record YamlScalar(string Where, string Text, bool Quoted) : YamlNode(Where)
{
    public override string Kind => IsNull ? "nothing" : $"'{Text}'";

    public bool IsNull => !Quoted && Text is "" or "~" or "null";
}

sealed record YamlList(string Where, IReadOnlyList<YamlNode> Items) : YamlNode(Where)
{
    public override string Kind => "a list";
}

sealed record YamlMap(
    string Where, IReadOnlyList<KeyValuePair<string, YamlNode>> Entries, IReadOnlyDictionary<string, string> KeyPlaces) : YamlNode(Where)
{
    public override string Kind => "a mapping";

    public YamlNode? Find(string key) => Entries.FirstOrDefault(e => e.Key == key).Value;

    /// <summary>The same mapping with one value set.</summary>
    public YamlMap With(string key, YamlNode value)
    {
        var entries = Entries.ToList();
        var at = entries.FindIndex(e => e.Key == key);
        if (at >= 0)
            entries[at] = new(key, value);
        else
            entries.Add(new(key, value));
        return this with { Entries = entries, KeyPlaces = new Dictionary<string, string>(KeyPlaces) { [key] = value.Where } };
    }
}

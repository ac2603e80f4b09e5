using Taba.Grains;
using Taba.Grains.Words;

namespace Taba.Client.Sweeps;

/// <summary>The values of one mapping of a sweep file, taken by name and type. Every refusal names the place and what would do.</summary>
sealed class SweepFields
{
    readonly YamlMap _map;

    /// <exception cref="BadInputException">The node is no mapping, or has a key that is not known.</exception>
    public SweepFields(YamlNode node, string what, params string[] known)
    {
        _map = node as YamlMap ?? throw node.Refuse($"{what} is {node.Kind}: expected a mapping of {string.Join(", ", known)}.");
        foreach (var (key, _) in _map.Entries)
        {
            if (!known.Contains(key))
                throw new BadInputException($"{_map.KeyPlaces[key]}: '{key}' is not known in {what}.{UnknownWords.Hint(key, known)}");
        }
    }

    public string Where => _map.Where;

    public bool Has(string key) => Find(key) is not null;

    /// <summary>The key is there, whatever its value.</summary>
    public bool IsPresent(string key) => _map.Find(key) is not null;

    public YamlNode? Find(string key) => _map.Find(key) is { } node and not YamlScalar { IsNull: true } ? node : null;

    public string? Text(string key) => Find(key) is { } node ? TextOf(node, key) : null;

    public bool Bool(string key, bool otherwise) => Find(key) is { } node ? BoolOf(node, key) : otherwise;

    public IReadOnlyList<T> Axis<T>(string key, Func<YamlNode, string, T> read, params T[] otherwise) =>
        Find(key) is { } node ? AxisOf(node, key, read) : otherwise;

    /// <summary>A value, or a list of values.</summary>
    public static IReadOnlyList<T> AxisOf<T>(YamlNode node, string key, Func<YamlNode, string, T> read)
    {
        if (node is not YamlList list)
        {
            // Names may look so.
            return typeof(T) != typeof(string) && node is YamlScalar { Quoted: false } scalar
                && SeveralText.AsList(scalar.Text) is { } several
                ? throw node.Refuse($"{key} is {node.Kind}: several values are a list, such as {key}={several}.")
                : [read(node, key)];
        }
        if (list.Items.Count == 0)
            throw node.Refuse($"{key} is an empty list: give at least one value.");
        return [.. list.Items.Select(item => read(item, key))];
    }

    public static string TextOf(YamlNode node, string key) => node is YamlScalar { IsNull: false } scalar
        ? scalar.Text
        : throw node.Refuse($"{key} is {node.Kind}: expected one word.");

    public static bool BoolOf(YamlNode node, string key) => node switch
    {
        YamlScalar { Quoted: false, Text: "true" or "True" } => true,
        YamlScalar { Quoted: false, Text: "false" or "False" } => false,
        _ => throw node.Refuse($"{key} is {node.Kind}: expected true or false."),
    };

    public static long LongOf(YamlNode node, string key) => WholeOf(node, key, long.MinValue, long.MaxValue);

    public static int IntOf(YamlNode node, string key) => (int)WholeOf(node, key, int.MinValue, int.MaxValue);

    public static double DoubleOf(YamlNode node, string key)
    {
        if (node is not YamlScalar { Quoted: false } scalar)
            throw node.Refuse($"{key} is {node.Kind}: expected a number.");
        return NumberText.ReadReal(scalar.Text, out var value) is { } wrong ? throw node.Refuse($"{key} is {node.Kind}: {wrong}.") : value;
    }

    static long WholeOf(YamlNode node, string key, long least, long most)
    {
        if (node is not YamlScalar { Quoted: false } scalar)
            throw node.Refuse($"{key} is {node.Kind}: expected a whole number.");
        return NumberText.ReadWhole(scalar.Text, least, most, out var value) is { } wrong
            ? throw node.Refuse($"{key} is {node.Kind}: {wrong}.")
            : value;
    }

    /// <summary>One of a few words.</summary>
    public static T ChoiceOf<T>(YamlNode node, string key, params (string Word, T Value)[] choices)
    {
        var text = (node as YamlScalar)?.Text;
        foreach (var (word, value) in choices)
        {
            if (word == text)
                return value;
        }
        throw node.Refuse($"{key} is {node.Kind}: expected {string.Join(" or ", choices.Select(c => c.Word))}.");
    }
}

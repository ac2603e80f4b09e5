using Taba.Grains;

namespace Taba.Client.Sweeps;

/// <summary>Applies <c>key=value</c> of the command line to a sweep file: dotted keys go down, values are YAML.</summary>
static class SweepOverrides
{
    /// <summary>Splits <c>key=value</c>.</summary>
    /// <exception cref="BadInputException">Not of that form.</exception>
    public static KeyValuePair<string, string> Split(string argument)
    {
        var at = argument.IndexOf('=', StringComparison.Ordinal);
        return at > 0
            ? new(argument[..at].Trim(), argument[(at + 1)..])
            : throw new BadInputException(
                $"'{argument}' is not an override: write key=value, such as samples=64 or num_inference_steps=[10,50].");
    }

    public static YamlMap Apply(YamlMap sweep, IEnumerable<KeyValuePair<string, string>> overrides) =>
        overrides.Aggregate(
            sweep, (map, o) => Set(map, o.Key.Split('.'), YamlText.Parse(Emptied(o.Value), $"override {o.Key}={o.Value}"), o.Key));

    /// <summary>An empty value means nothing, which an empty document is not.</summary>
    static string Emptied(string value) => string.IsNullOrWhiteSpace(value) ? "~" : value;

    static YamlMap Set(YamlMap map, ReadOnlySpan<string> path, YamlNode value, string whole)
    {
        if (path.Length == 1)
            return map.With(path[0], value);
        var child = map.Find(path[0]) ?? new YamlMap(value.Where, [], new Dictionary<string, string>());
        return map.With(path[0], Descend(child, path[1..], value, whole));
    }

    static YamlNode Descend(YamlNode child, ReadOnlySpan<string> path, YamlNode value, string whole)
    {
        switch (child)
        {
            case YamlMap map:
                return Set(map, path, value, whole);
            case YamlList list when int.TryParse(path[0], out var index) && index >= 0 && index < list.Items.Count:
                var items = list.Items.ToArray();
                items[index] = path.Length == 1 ? value : Descend(items[index], path[1..], value, whole);
                YamlNode changed = list with { Items = items };
                return changed;
            case YamlList list:
                throw new BadInputException(
                    $"override {whole}: '{path[0]}' is no place in a list of {list.Items.Count}: use 0 to {list.Items.Count - 1}.");
            default:
                throw new BadInputException($"override {whole}: there is no '{path[0]}' in {child.Kind}.");
        }
    }
}

using System.Text.Json;

namespace Taba.Diffusion.Json;

/// <summary>Readers of fields that only the config.json files of diffusers have. There unknown fields are passed over.</summary>
sealed partial class JsonFields
{
    const int MostItems = 64;

    /// <exception cref="InvalidDataException">The element is not an object.</exception>
    public static JsonFields Of(JsonElement element, string source) => element.ValueKind == JsonValueKind.Object
        ? new JsonFields(element, source)
        : throw new InvalidDataException($"{source}: a JSON object is expected, found {element.ValueKind}.");

    /// <summary>An integer, or null when the field is absent or null.</summary>
    public int? OptionalInt(string name, int least, int most) => Has(name) ? Int(name, null, least, most) : null;

    /// <summary>A finite number.</summary>
    public double Number(string name, double? otherwise, double least, double most)
    {
        if (!Has(name))
            return otherwise ?? throw Missing(name);
        var value = element.GetProperty(name);
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= least && number <= most
            ? number
            : throw Wrong(name, $"a number from {least} to {most}");
    }

    /// <summary>A JSON array of integers, not empty.</summary>
    public int[] Ints(string name, int least, int most) =>
        [.. Items<int>(name, $"an array of 1 to {MostItems} integers from {least} to {most}", item =>
        item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var number) && number >= least && number <= most ? number : null)];

    /// <summary>A JSON array of names, not empty, each of them known.</summary>
    /// <exception cref="InvalidDataException">
    /// A name is not among <paramref name="known"/>; the message gives it and all of those.
    /// </exception>
    public string[] Names(string name, params string[] known)
    {
        var names = Items<int>(name, $"an array of 1 to {MostItems} names", item =>
            item.ValueKind == JsonValueKind.String ? Array.IndexOf(known, item.GetString()) is var i && i >= 0
                ? i
                : throw Unknown(name, item.GetString()!, known) : null);
        return [.. names.Select(i => known[i])];
    }

    /// <summary>The height and width in a field that holds one integer for both or an array of the two.</summary>
    public (int Height, int Width) Size(string name, int most)
    {
        if (!Has(name))
            throw Missing(name);
        if (element.GetProperty(name).ValueKind == JsonValueKind.Number)
        {
            var side = Int(name, null, 1, most);
            return (side, side);
        }

        var sides = Ints(name, 1, most);
        return sides.Length == 2 ? (sides[0], sides[1]) : throw Wrong(name, "an integer or an array of two integers, height and width");
    }

    /// <summary>Refuses any other value than null of a field that would change the result.</summary>
    public void OnlyNull(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (Has(name))
                throw Wrong(name, "null or absent: nothing else is supported");
        }
    }

    /// <summary>Refuses the other value of a switch that would change the result.</summary>
    public void Only(string name, bool only)
    {
        if (Bool(name, only) != only)
            throw Wrong(name, only ? "true: nothing else is supported" : "false: nothing else is supported");
    }

    /// <summary>One of several names.</summary>
    public string Choice(string name, string? otherwise, params string[] known)
    {
        var text = Text(name, otherwise);
        return known.Contains(text, StringComparer.Ordinal) ? text : throw Unknown(name, text, known);
    }

    List<T> Items<T>(string name, string expected, Func<JsonElement, T?> read)
        where T : struct
    {
        if (!Has(name))
            throw Missing(name);
        var value = element.GetProperty(name);
        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() is 0 or > MostItems)
            throw Wrong(name, expected);
        return [.. value.EnumerateArray().Select(item => read(item) ?? throw Wrong(name, expected))];
    }

    InvalidDataException Unknown(string name, string text, string[] known) =>
        new(
            $"{source}: the field '{name}' names '{(text.Length <= 60 ? text : text[..60] + "...")}', which is not supported; known are "
            + $"{string.Join(", ", known)}.");
}

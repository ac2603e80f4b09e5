using System.Text.Json;

namespace Taba.Diffusion.Json;

/// <summary>Reads the fields of one JSON object strictly: what is not asked for is refused.</summary>
/// <param name="element">The object.</param>
/// <param name="source">The file, for messages.</param>
sealed partial class JsonFields(JsonElement element, string source)
{
    readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public bool Has(string name)
    {
        _known.Add(name);
        return element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;
    }

    /// <summary>Accepts fields that have no bearing on what is computed.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            _known.Add(name);
    }

    public int Int(string name, int? otherwise, int least, int most)
    {
        if (!Has(name))
            return otherwise ?? throw Missing(name);
        var value = element.GetProperty(name);
        if (value.ValueKind != JsonValueKind.Number || !value.TryGetInt32(out var number))
            throw Wrong(name, "an integer");
        return number >= least && number <= most ? number : throw Wrong(name, $"an integer from {least} to {most}");
    }

    public bool Bool(string name, bool otherwise)
    {
        if (!Has(name))
            return otherwise;
        var value = element.GetProperty(name);
        return value.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => throw Wrong(name, "true or false"),
        };
    }

    public string Text(string name, string? otherwise)
    {
        if (!Has(name))
            return otherwise ?? throw Missing(name);
        var value = element.GetProperty(name);
        return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Wrong(name, "a string");
    }

    /// <summary>A number, or one number per channel.</summary>
    public double[] Numbers(string name, int channels)
    {
        if (!Has(name))
            throw Missing(name);
        var value = element.GetProperty(name);
        if (value.ValueKind == JsonValueKind.Number)
        {
            var number = Number(value);
            return [.. Enumerable.Repeat(number, channels)];
        }

        if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() != channels)
            throw Wrong(name, $"a number or an array of {channels} numbers");
        return [.. value.EnumerateArray().Select(Number)];

        double Number(JsonElement item) =>
            item.ValueKind == JsonValueKind.Number && item.TryGetDouble(out var number) && double.IsFinite(number)
                ? number
                : throw Wrong(name, $"a number or an array of {channels} numbers");
    }

    /// <summary>A list of positive integers in guided-diffusion's spelling: "16,8". Empty text is an empty list.</summary>
    public int[] IntList(string name, string otherwise, int most)
    {
        var text = Text(name, otherwise);
        if (text.Trim().Length == 0)
            return [];
        var numbers = new List<int>();
        foreach (var part in text.Split(','))
        {
            if (!int.TryParse(part.Trim(), out var number) || number < 1 || number > most)
                throw Wrong(name, $"a comma-separated list of integers from 1 to {most}");
            numbers.Add(number);
        }

        return [.. numbers];
    }

    /// <summary>To be called when all fields were asked for.</summary>
    public void RefuseUnknown()
    {
        foreach (var property in element.EnumerateObject())
        {
            if (!_known.Contains(property.Name))
            {
                throw new InvalidDataException(
                    $"{source}: the field '{property.Name}' is unknown; known are "
                    + $"{string.Join(", ", _known.Order(StringComparer.Ordinal))}.");
            }
        }
    }

    /// <summary>The exception for a field whose value cannot be used.</summary>
    public InvalidDataException Wrong(string name, string expected) =>
        new($"{source}: the field '{name}' is {Shown(name)}, but must be {expected}.");

    InvalidDataException Missing(string name) => new($"{source}: the field '{name}' is missing.");

    string Shown(string name)
    {
        var text = element.TryGetProperty(name, out var value) ? value.GetRawText() : "absent";
        return text.Length <= 60 ? text : text[..60] + "...";
    }
}

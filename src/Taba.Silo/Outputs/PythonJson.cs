using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Taba.Silo.Outputs;

/// <summary>
/// JSON as Python's json module writes and reads it: numbers that are none stand as the bare words NaN, Infinity and -Infinity.
/// </summary>
public static class PythonJson
{
    static readonly JsonWriterOptions s_options = new()
    {
        Indented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        // The bare words are no JSON.
        SkipValidation = true,
    };

    /// <summary>UTF-8.</summary>
    public static byte[] Write(JsonNode? node, bool indented = true)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, s_options with { Indented = indented }))
            Write(writer, node);
        return stream.ToArray();
    }

    /// <summary>Reads what Python or this class wrote. A bare word becomes the string of its letters, as earlier versions wrote.</summary>
    /// <exception cref="JsonException">It is no object even so, names a field twice, or has half of a pair of surrogates.</exception>
    public static JsonObject Read(ReadOnlySpan<byte> utf8)
    {
        var node = JsonNode.Parse(
            Quoted(utf8), documentOptions: new() { MaxDepth = RunJson.Options.MaxDepth, AllowDuplicateProperties = false });
        try
        {
            // The library finds out what a text is when somebody asks for it.
            Require(node);
        }
        catch (InvalidOperationException error)
        {
            throw new JsonException("a text in it has half of a pair of surrogates", error);
        }
        return node as JsonObject ?? throw new JsonException("it is no JSON object");
    }

    static void Require(JsonNode? node)
    {
        if (node is JsonValue)
            _ = node.ToString();
        foreach (var child in node is JsonObject members ? members.Select(m => m.Value) : node is JsonArray items ? items : [])
            Require(child);
    }

    static void Write(Utf8JsonWriter writer, JsonNode? node)
    {
        switch (node)
        {
            case null:
                writer.WriteNullValue();
                break;
            case JsonObject members:
                writer.WriteStartObject();
                foreach (var (name, value) in members)
                {
                    writer.WritePropertyName(name);
                    Write(writer, value);
                }
                writer.WriteEndObject();
                break;
            case JsonArray items:
                writer.WriteStartArray();
                foreach (var item in items)
                    Write(writer, item);
                writer.WriteEndArray();
                break;
            case JsonValue value when value.TryGetValue<double>(out var number) && !double.IsFinite(number):
                writer.WriteRawValue(double.IsNaN(number) ? "NaN" : number > 0 ? "Infinity" : "-Infinity", skipInputValidation: true);
                break;
            default:
                node.WriteTo(writer);
                break;
        }
    }

    /// <summary>The same with quotes around the bare words; what stands in strings is left alone.</summary>
    static byte[] Quoted(ReadOnlySpan<byte> utf8)
    {
        var quoted = new List<byte>(utf8.Length + 16);
        var inString = false;
        for (var i = 0; i < utf8.Length; i++)
        {
            if (!inString && WordAt(utf8[i..]) is { Length: > 0 } word)
            {
                quoted.Add((byte)'"');
                quoted.AddRange(word);
                quoted.Add((byte)'"');
                i += word.Length - 1;
                continue;
            }
            if (inString && utf8[i] == '\\' && i + 1 < utf8.Length)
                quoted.Add(utf8[i++]);
            else if (utf8[i] == '"')
                inString = !inString;
            quoted.Add(utf8[i]);
        }
        return [.. quoted];
    }

    static ReadOnlySpan<byte> WordAt(ReadOnlySpan<byte> text) =>
        text.StartsWith("NaN"u8) ? text[..3] : text.StartsWith("Infinity"u8) ? text[..8] : text.StartsWith("-Infinity"u8) ? text[..9] : [];
}

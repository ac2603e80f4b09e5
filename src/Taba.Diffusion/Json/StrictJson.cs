using System.Text.Json;
using System.Text.Unicode;

namespace Taba.Diffusion.Json;

/// <summary>
/// Parses JSON files that people and programs of any kind write: a byte order mark is passed over, and text that nobody could read later
/// is refused now, whatever field it stands in.
/// </summary>
static class StrictJson
{
    const int MaxDepth = 32;

    static readonly JsonDocumentOptions s_options = new() { AllowDuplicateProperties = false, MaxDepth = MaxDepth };

    /// <exception cref="JsonException">
    /// It is not JSON, names a field twice, is nested too deep, is not UTF-8, or has half of a surrogate pair.
    /// </exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> bytes)
    {
        var text = bytes.Span.StartsWith("\uFEFF"u8) ? bytes[3..] : bytes;
        if (!Utf8.IsValid(text.Span))
            throw new JsonException($"byte {FirstInvalid(text.Span)} is not UTF-8: save the file in that encoding");
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(text, s_options);
        }
        catch (InvalidOperationException error)
        {
            throw Half("the name of a field", error);
        }
        try
        {
            Require(document.RootElement, "$");
            return document;
        }
        catch
        {
            document.Dispose();
            throw;
        }
    }

    /// <summary>Reads every text once: the library only finds out when somebody asks for it.</summary>
    static void Require(JsonElement element, string place)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.String:
                try
                {
                    _ = element.GetString();
                }
                catch (InvalidOperationException error)
                {
                    throw Half($"the text at {place}", error);
                }
                break;
            case JsonValueKind.Array:
                foreach (var (at, item) in element.EnumerateArray().Index().Where(i => MayHoldText(i.Item)))
                    Require(item, $"{place}[{at}]");
                break;
            case JsonValueKind.Object:
                foreach (var field in element.EnumerateObject().Where(f => MayHoldText(f.Value)))
                    Require(field.Value, $"{place}.{field.Name}");
                break;
        }
    }

    static bool MayHoldText(JsonElement element) =>
        element.ValueKind is JsonValueKind.String or JsonValueKind.Array or JsonValueKind.Object;

    static JsonException Half(string what, Exception error) =>
        new($"{what} holds half of a surrogate pair (\\ud800 to \\udfff), which is no text", error);

    static int FirstInvalid(ReadOnlySpan<byte> text)
    {
        Span<char> buffer = stackalloc char[256];
        var at = 0;
        while (at < text.Length)
        {
            var status = Utf8.ToUtf16(text[at..], buffer, out var read, out _, replaceInvalidSequences: false);
            at += read;
            if (status is System.Buffers.OperationStatus.InvalidData or System.Buffers.OperationStatus.NeedMoreData)
                break;
        }
        return at;
    }
}

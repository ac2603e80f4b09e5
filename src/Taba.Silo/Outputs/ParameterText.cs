using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Taba.Silo.Outputs;

/// <summary>
/// Values of <c>_params</c> as text: numbers, <c>true</c>, <c>false</c> and <c>null</c> stand for themselves, text in double quotes is
/// JSON text, and everything else is text as it stands.
/// </summary>
public static class ParameterText
{
    /// <summary>
    /// Text that is read back as this text: in quotes when it would be taken for something else, as the prompts called null would.
    /// </summary>
    public static string Of(string text) => Plain(text, out _) && !text.StartsWith('"') ? text : JsonSerializer.Serialize(text);

    /// <summary>The value in JSON.</summary>
    public static JsonNode? Read(string text)
    {
        if (Plain(text, out var literal) && text.StartsWith('"') && text.EndsWith('"') && text.Length > 1)
        {
            try
            {
                return JsonSerializer.Deserialize<string>(text);
            }
            catch (JsonException)
            {
                return text;
            }
        }
        return literal;
    }

    static bool Plain(string text, out JsonNode? value)
    {
        value = text;
        if (text is "null")
            value = null;
        else if (bool.TryParse(text, out var flag))
            value = flag;
        else if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            value = whole;
        else if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number))
            value = number;
        else
            return true;
        return false;
    }
}

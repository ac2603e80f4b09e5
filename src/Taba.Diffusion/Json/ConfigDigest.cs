using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Taba.Diffusion.Json;

/// <summary>Names a config: equal digests are equal settings, whatever the order of its fields and the version that wrote it.</summary>
static class ConfigDigest
{
    /// <summary>The first 16 hexadecimal digits of a SHA-256 over all fields but those that begin with an underscore.</summary>
    public static string Of(JsonElement config)
    {
        var text = new StringBuilder();
        Write(config, text);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..16];
    }

    static void Write(JsonElement element, StringBuilder text)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                text.Append('{');
                foreach (var field in element.EnumerateObject().Where(field => !field.Name.StartsWith('_')).OrderBy(
                    field => field.Name, StringComparer.Ordinal))
                {
                    text.Append(JsonEncodedText.Encode(field.Name)).Append(':');
                    Write(field.Value, text);
                    text.Append(',');
                }
                text.Append('}');
                break;
            case JsonValueKind.Array:
                text.Append('[');
                foreach (var item in element.EnumerateArray())
                {
                    Write(item, text);
                    text.Append(',');
                }
                text.Append(']');
                break;
            default:
                text.Append(element.GetRawText());
                break;
        }
    }
}

using System.Globalization;
using System.Text;

namespace Taba.Diffusion.Weights.Pickle;

/// <summary>
/// Python's raw-unicode-escape, in which protocol 0 writes text: Latin-1, and <c>\uXXXX</c> or <c>\UXXXXXXXX</c> for the rest.
/// </summary>
static class RawUnicodeEscape
{
    /// <summary>The text; null when the bytes are not such an encoding of valid Unicode.</summary>
    internal static string? Decode(ReadOnlySpan<byte> bytes)
    {
        var text = new StringBuilder(bytes.Length);
        for (var i = 0; i < bytes.Length;)
        {
            var digits = bytes[i..] switch
            {
                [(byte)'\\', (byte)'u', ..] => 4,
                [(byte)'\\', (byte)'U', ..] => 8,
                _ => 0,
            };
            if (digits == 0)
            {
                text.Append((char)bytes[i++]);
                continue;
            }

            if (bytes.Length - i < 2 + digits
                || !uint.TryParse(bytes.Slice(i + 2, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var scalar)
                || !Rune.TryCreate(scalar, out var rune))
            {
                return null;
            }

            text.Append(rune);
            i += 2 + digits;
        }

        return text.ToString();
    }
}

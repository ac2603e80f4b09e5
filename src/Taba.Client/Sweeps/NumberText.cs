using System.Globalization;

namespace Taba.Client.Sweeps;

/// <summary>
/// Numbers as people write them, read one way in flags, sweep files and overrides: a point before decimals, and no thousands separators,
/// so that a decimal comma is refused and not left out.
/// </summary>
static class NumberText
{
    /// <summary>Why a text is not a whole number of a range; null when it is.</summary>
    public static string? ReadWhole(string text, long least, long most, out long value)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value) && value >= least && value <= most)
            return null;
        // A seed that torch takes beyond the range: it draws the numbers of the negative one.
        return most == long.MaxValue && ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var beyond)
            && beyond > long.MaxValue
                ? $"expected a whole number from {least} to {most}; as a seed, torch takes {text} for {unchecked((long)beyond)}: write that"
                : $"expected a whole number{(IsWhole(text) ? $" from {least} to {most}" : "")}";
    }

    /// <summary>Why a text is not a number; null when it is. Infinity and NaN are none.</summary>
    public static string? ReadReal(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value)
            ? null
            : text.Contains(',', StringComparison.Ordinal)
                && double.TryParse(text.Replace(',', '.'), NumberStyles.Float, CultureInfo.InvariantCulture, out _)
                ? $"expected a number, such as {text.Replace(',', '.')}: decimals follow a point"
                : "expected a number";

    static bool IsWhole(string text) =>
        text.AsSpan().TrimStart("+-") is { Length: > 0 } digits && digits.IndexOfAnyExceptInRange('0', '9') < 0;
}

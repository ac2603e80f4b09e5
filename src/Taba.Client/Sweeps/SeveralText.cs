using System.Globalization;
using System.Text.RegularExpressions;

namespace Taba.Client.Sweeps;

/// <summary>Ways in which people write several values that are no list: <c>1..4</c>, <c>1,2,3</c>, <c>range(1,5)</c>.</summary>
static partial class SeveralText
{
    const int MostShown = 4;

    /// <summary>What is meant, as a list; null when the text does not look like several values.</summary>
    public static string? AsList(string text)
    {
        if (Range().Match(text) is { Success: true } range
            && int.TryParse(range.Groups["from"].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var from)
            && int.TryParse(range.Groups["to"].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var to))
        {
            var last = range.Groups["open"].Success ? to - 1L : to;
            return last <= from ? null : Listed(from, last);
        }
        return Listing().IsMatch(text) ? $"[{text.Replace(" ", "", StringComparison.Ordinal)}]" : null;
    }

    static string Listed(int from, long last)
    {
        var shown = Enumerable.Range(0, (int)Math.Min(last - from + 1, MostShown)).Select(i => $"{from + (long)i}");
        return $"[{string.Join(',', shown)}{(last - from >= MostShown ? $",...,{last}" : "")}]";
    }

    [GeneratedRegex(@"\A(?:(?<from>-?\d+)\s*(?:\.\.|:|-|to)\s*(?<to>-?\d+)|(?<open>range)\(\s*(?<from>-?\d+)\s*,\s*(?<to>-?\d+)\s*\))\z")]
    private static partial Regex Range();

    /// <summary>A comma between two numbers may be that of a decimal: three are several values.</summary>
    [GeneratedRegex(@"\A-?\w+(?:\s*,\s*-?\w+){2,}\z|\A[A-Za-z]\w*(?:\s*,\s*[A-Za-z]\w*)+\z")]
    private static partial Regex Listing();
}

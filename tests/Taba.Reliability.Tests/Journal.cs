using System.Text.RegularExpressions;

namespace Taba.Reliability.Tests;

/// <summary>The journal of evaluations: a line is written just before its forward pass, so a kill loses none that was made.</summary>
static partial class Journal
{
    /// <summary>(stage key, row) of each evaluation, in order. A line that a kill tore is left out.</summary>
    public static IReadOnlyList<(string Stage, int Row)> Read(string file) => File.Exists(file)
        ? [.. File.ReadLines(file).Select(l => Line().Match(l)).Where(m => m.Success)
            .Select(m => (m.Groups[1].Value, int.Parse(m.Groups[2].ValueSpan)))]
        : [];

    [GeneratedRegex(@"\A([0-9a-f]{32,64}) ([0-9]+) ([0-9]+)\z")]
    private static partial Regex Line();
}

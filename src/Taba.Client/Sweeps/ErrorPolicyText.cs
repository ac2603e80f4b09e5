using System.Globalization;
using Taba.Grains.Sweeps;

namespace Taba.Client.Sweeps;

/// <summary><c>continue</c>, <c>fail-fast</c>, <c>stop-after N</c>.</summary>
static class ErrorPolicyText
{
    const string StopAfter = "stop-after";

    public const string Expected = "expected continue, fail-fast, or stop-after N with N at least 1";

    /// <returns>Null for anything else.</returns>
    public static ErrorPolicy? Read(string text) => text.Trim() switch
    {
        "continue" => ErrorPolicy.Continue,
        "fail-fast" => ErrorPolicy.FailFast,
        var other when other.StartsWith(StopAfter, StringComparison.Ordinal)
            && int.TryParse(other.AsSpan(StopAfter.Length).TrimStart(" =:"), NumberStyles.None, CultureInfo.InvariantCulture, out var n)
            && n > 0 => new(n),
        _ => null,
    };
}

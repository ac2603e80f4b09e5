using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Client.Reports;

/// <summary>What metrics.json says of how sure a number is.</summary>
/// <param name="PValue">Of differences.</param>
/// <param name="Replicates">For comparison with another run of the same rows; empty where there are none.</param>
sealed record RunInterval(Interval Interval, double? PValue, IReadOnlyList<double> Replicates)
{
    /// <summary>By the number's path; those that are not as they should be are left out.</summary>
    public static Dictionary<string, RunInterval> Of(JsonObject? json) =>
        (json ?? []).Select(p => (p.Key, Value: Of(p.Value))).Where(p => p.Value is not null).ToDictionary(p => p.Key, p => p.Value!);

    static RunInterval? Of(JsonNode? node)
    {
        if (node is not JsonObject json || Number(json["low"]) is not { } low || Number(json["high"]) is not { } high || low > high)
            return null;
        var replicates = (json["replicates"] as JsonArray ?? []).Select(Number).OfType<double>().ToList();
        return new(new(low, high), Number(json["p_value"]), replicates.Count == RowGroups.LineCount ? replicates : []);
    }

    static double? Number(JsonNode? node) =>
        node is JsonValue value && value.TryGetValue<double>(out var number) && double.IsFinite(number) ? number : null;
}

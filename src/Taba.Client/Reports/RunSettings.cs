using System.Globalization;
using Taba.Silo.Outputs;

namespace Taba.Client.Reports;

/// <summary>The fields of an intervention, by name.</summary>
static class RunSettings
{
    public static readonly IReadOnlyList<string> InterventionNames =
        ["intervention_type", "before", "swap_type", "forward_seed", "forward_alignment"];

    /// <summary>A value for each of <see cref="InterventionNames"/>; empty where the run has none.</summary>
    public static IReadOnlyList<string> InterventionValues(RunIntervention? intervention) => intervention is null
        ? [.. InterventionNames.Select(_ => "")]
        :
        [
            intervention.Type, Text(intervention.Before), intervention.SwapType ?? "", Text(intervention.ForwardSeed),
            intervention.ForwardAlignment ?? "",
        ];

    /// <summary>What a folder's parameters say that replaced its first steps; null for a plain run.</summary>
    public static RunIntervention? Of(IReadOnlyDictionary<string, string> parameters)
    {
        if (Number("forward_before_t") is { } forward and > 0 and <= int.MaxValue)
            return new("forward", (int)forward)
            {
                ForwardSeed = Number("forward_seed"),
                ForwardAlignment = parameters.GetValueOrDefault("forward_alignment") ?? "upstream",
            };
        return Number("swap_before_t") is { } swap and > 0 and <= int.MaxValue
            ? new("swap", (int)swap) { SwapType = parameters.GetValueOrDefault("swap_type") }
            : null;

        long? Number(string name) =>
            long.TryParse(parameters.GetValueOrDefault(name), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
                ? number
                : null;
    }

    static string Text(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";
}

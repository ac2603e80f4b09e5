using Taba.Silo.Outputs;

namespace Taba.Client.Reports;

/// <summary>Names and order of interventions for readers.</summary>
static class RunLabels
{
    /// <summary>"forward K = 3"; "plain inversion" of none.</summary>
    public static string Of(RunIntervention? intervention) =>
        intervention is null ? "plain inversion" : $"{Kind(intervention)} K = {intervention.Before}";

    /// <summary>Without K: "forward", "forward (consistent)", "swap eps"; "plain" of none.</summary>
    public static string Kind(RunIntervention? intervention) => intervention switch
    {
        null => "plain",
        { Type: "swap", SwapType: { } type } => $"swap {type}",
        { ForwardAlignment: { } alignment and not "upstream" } => $"{intervention.Type} ({alignment})",
        _ => intervention.Type,
    };

    /// <summary>Plain first, then kinds, each by K.</summary>
    public static (int, string, int) Order(RunIntervention? intervention) =>
        intervention is null ? (0, "", 0) : (1, Kind(intervention), intervention.Before);
}

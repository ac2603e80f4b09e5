namespace Taba.Client.Reports;

/// <summary>Says in words what the numbers of a group show, whatever they show.</summary>
static class GroupSummary
{
    /// <summary>Null when nothing can be said: no latents, no noise, or a single sample.</summary>
    public static string? Of(ReportGroup group)
    {
        if (group.Floor is not { Mean: > 0 } floor)
            return null;
        if (group.IsTooSmall)
            return $"N = {group.Samples} is too small to tell: noise itself has a patch correlation of {Html.Number(floor.Mean)} "
                + "at this N.";
        var sentences = new List<string>();
        if (group.Plain?.Metric(MetricKeys.Correlation) is { } plain)
            sentences.Add(
                $"Latents of plain inversion have a patch correlation of {Html.Number(plain.Mean)}{Over(plain)}, "
                + $"{Against(plain, floor)} of {Html.Number(floor.Mean)}.");
        var others = group.Points.Where(p => p.Intervention is not null)
            .Select(p => (p.Label, Value: p.Metric(MetricKeys.Correlation))).Where(p => p.Value is not null).ToList();
        if (others.Count > 0)
        {
            var (label, value) = others.MinBy(p => p.Value!.Value.Mean);
            sentences.Add(
                $"Among the interventions {label} has the lowest, {Html.Number(value!.Value.Mean)} "
                + $"({Times(value.Value.Mean / floor.Mean)} the floor).");
        }
        return sentences.Count > 0 ? string.Join(' ', sentences) : null;
    }

    static string Over(Estimate estimate) => estimate.Count > 1 ? $" (mean of {estimate.Count} seeds)" : "";

    /// <summary>Seeds whose ranges meet tell no difference; of a single seed only the ratio is known.</summary>
    static string Against(Estimate value, Estimate floor) =>
        value.Count > 1 && floor.Count > 1 && value.Lowest <= floor.Highest && floor.Lowest <= value.Highest
            ? $"{Times(value.Mean / floor.Mean)} and within the range of the noise floor"
            : $"{Times(value.Mean / floor.Mean)} the noise floor";

    static string Times(double ratio) => FormattableString.Invariant($"{ratio:0.00} times");
}

namespace Taba.Client.Reports;

/// <summary>Says in words what the numbers of a group show, whatever they show.</summary>
static class GroupSummary
{
    /// <summary>Null when nothing can be said: no latents, or a single sample.</summary>
    public static string? Of(RunGroup group)
    {
        if (group.NoiseFloor is not { } floor || floor <= 0)
            return null;
        var measured = group.Runs
            .Select(r =>
                (Name: RunLabels.Of(r.Manifest.Intervention), Plain: r.Manifest.Intervention is null, Value: r.Metric("correlation.mean")))
            .Where(r => r.Value is { } v && double.IsFinite(v))
            .Select(r => (r.Name, r.Plain, Value: r.Value!.Value))
            .ToList();
        if (measured.Count == 0)
            return null;
        var sentences = new List<string>();
        if (measured.FirstOrDefault(r => r.Plain) is { Name: not null } plain)
            sentences.Add(
                $"Latents of plain inversion have a patch correlation of {Html.Number(plain.Value)}, {Times(plain.Value / floor)} the "
                + $"noise floor of {Html.Number(floor)}.");
        var others = measured.Where(r => !r.Plain).ToList();
        if (others.Count > 0)
        {
            var best = others.MinBy(r => r.Value);
            sentences.Add(
                $"Among the interventions {best.Name} has the lowest, {Html.Number(best.Value)} ({Times(best.Value / floor)} the floor).");
        }
        return string.Join(' ', sentences);
    }

    static string Times(double ratio) => $"{ratio:0.00} times";
}

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
        if (group.Plain is { } point && point.Metric(MetricKeys.Correlation) is { } plain)
            sentences.Add(
                $"Latents of plain inversion have a patch correlation of {Html.Words(plain)}{Over(plain)}, "
                + $"{Against(point, plain, floor, group)}.");
        if (Deviation(group) is { } deviation)
            sentences.Add(deviation);
        var lowest = group.Points.Where(p => p.Intervention is not null)
            .Select(p => (Point: p, Value: p.Metric(MetricKeys.Correlation))).Where(p => p.Value is not null)
            .DefaultIfEmpty().MinBy(p => p.Value?.Mean);
        if (lowest is ({ } least, { } value))
        {
            var verdict = least.Verdict switch
            {
                FloorVerdict.NotToldApart => $"not told apart from the floor at N = {group.Samples}",
                FloorVerdict.Above => $"{Times(value.Mean / floor.Mean)} the floor, and above it",
                FloorVerdict.Below => $"{Times(value.Mean / floor.Mean)} the floor, and below it",
                _ => $"{Times(value.Mean / floor.Mean)} the floor",
            };
            sentences.Add($"Among the interventions {least.Label} has the lowest, {Html.Words(value)}: {verdict}.");
            if (PlainDifference.Of(least, group.Plain, MetricKeys.Correlation) is { Interval: { } interval } difference)
                sentences.Add(difference.IsTold
                    ? $"Against plain inversion of the same samples that is {Html.Change(difference.Mean, interval)} "
                        + $"({Html.Change(interval)})."
                    : $"It is not told apart from plain inversion at N = {group.Samples}.");
        }
        sentences.AddRange(ChosenK.Of(group).Select(choice => choice.Sentence(group.Samples)));
        return sentences.Count > 0 ? string.Join(' ', sentences) : null;
    }

    /// <summary>The spread of latents tells more than their correlation: it needs few samples.</summary>
    static string? Deviation(ReportGroup group)
    {
        if (group.Plain?.Metric(MetricKeys.LatentStd) is not { } plain || group.NoiseStd is not { } noise)
            return null;
        var text = $"Their deviation is {Html.Words(plain)}, that of the noise {Html.Words(noise)}";
        var nearest = group.Points.Where(p => p.Intervention is not null)
            .Select(p => (Point: p, Value: p.Metric(MetricKeys.LatentStd))).Where(p => p.Value is not null)
            .DefaultIfEmpty().MinBy(p => Math.Abs((p.Value?.Mean ?? 0) - noise.Mean));
        text += nearest is ({ } point, { } value) ? $"; that of {point.Label} is {Html.Words(value)}." : ".";
        return group.Plain.Metric(MetricKeys.PlainStd) is { } inside && group.Plain.Metric(MetricKeys.OtherStd) is { } outside
            && group.Plain.Metric(MetricKeys.PlainNoiseStd) is { } noiseInside
            && group.Plain.Metric(MetricKeys.OtherNoiseStd) is { } noiseOutside
            ? $"{text} In plain areas of the images the deviation of plain inversion is {Html.Words(inside)}, that of the noise "
                + $"{Html.Words(noiseInside)}; elsewhere they are {Html.Words(outside)} and {Html.Words(noiseOutside)}."
            : text;
    }

    static string Over(Estimate estimate) => estimate.Count > 1 ? $" (mean of {estimate.Count} seeds)" : "";

    /// <summary>Without an interval only the ratio is known.</summary>
    static string Against(ReportPoint point, Estimate value, Estimate floor, ReportGroup group)
    {
        var times = Times(value.Mean / floor.Mean);
        return point.Verdict switch
        {
            FloorVerdict.Above => $"above the noise floor of {Html.Words(floor)}: {times} as much",
            FloorVerdict.Below => $"below the noise floor of {Html.Words(floor)}: {times} as much",
            FloorVerdict.NotToldApart => $"not told apart at N = {group.Samples} from the noise floor of {Html.Words(floor)}",
            _ => $"{times} the noise floor of {Html.Words(floor)}",
        };
    }

    static string Times(double ratio) => FormattableString.Invariant($"{ratio:0.00} times");
}

using Taba.Client.Reports;

namespace Taba.Client.Running;

/// <summary>
/// What a sweep was made for, as the last lines of a command: patch correlation and deviation of latents beside those of noise, and the
/// error of reconstructions, by intervention, as means over seeds.
/// </summary>
static class FindingText
{
    /// <summary>Lines, but for those that say what is left out and what marks mean.</summary>
    const int Most = 12;

    const string Mark = "*";
    const string Indent = "  ";
    const int LeastLabel = 24;
    const int MostLabel = 42;
    const int ValueWidth = 18;

    /// <summary>None wider than 80 columns where names allow. Empty without latents.</summary>
    public static IReadOnlyList<string> Lines(IReadOnlyList<ReportGroup> groups)
    {
        var told = groups.Where(g => g.Points.Any(p => p.Metric(MetricKeys.Correlation) is not null)).ToList();
        var width = Math.Clamp(
            told.SelectMany(g => g.Points.Select(p => p.Label.Length + Indent.Length).Append(Title(g).Length)).DefaultIfEmpty(0).Max(),
            LeastLabel, MostLabel);
        var deviates = told.Any(g => g.Points.Any(p => p.Metric(MetricKeys.LatentStd) is not null));
        var lines = new List<string>();
        var marked = false;
        var left = told.Sum(g => g.Points.Count);
        foreach (var group in told)
        {
            var choices = ChosenK.Of(group).SelectMany(choice => choice.Lines()).ToList();
            // A heading without a number below it tells nothing.
            if (lines.Count + 3 + choices.Count > Most && lines.Count > 0)
                break;
            lines.Add(Line(Title(group), "patch correlation", "latents std", "image error"));
            if (group.Floor is { } floor)
                lines.Add(Line($"{Indent}noise (the floor)", Value(floor), Value(group.NoiseStd), ""));
            if (group.IsTooSmall)
                lines.Add($"{Indent}N = {group.Samples} is too small to tell: noise itself reaches about that.");
            foreach (var point in group.Points.Take(Math.Max(1, Most - lines.Count - choices.Count)))
            {
                var (correlation, error) = (point.Metric(MetricKeys.Correlation), point.Metric(MetricKeys.ImageError));
                var apart = point.Verdict == FloorVerdict.NotToldApart && !group.IsTooSmall;
                marked |= apart;
                lines.Add(Line(
                    $"{Indent}{point.Label}", Value(correlation) + (apart ? Mark : ""), Value(point.Metric(MetricKeys.LatentStd)),
                    Value(error)));
                left--;
            }
            lines.AddRange(choices.Select(choice => Indent + choice));
        }
        if (left > 0)
            lines.Add($"{Indent}and {left} more in the report");
        if (marked)
            lines.Add($"{Indent}{Mark} not told apart from the floor at this N");
        if (told.Any(g => g.Floor?.Interval is not null))
            lines.Add($"{Indent}± is half of a 95 % interval");
        return lines;

        string Line(string label, string correlation, string deviation, string error)
        {
            string[] cells = deviates ? [correlation, deviation, error] : [correlation, error];
            return $"{label.PadRight(width)}  {string.Concat(cells.Select(cell => cell.PadRight(ValueWidth)))}".TrimEnd();
        }
    }

    /// <summary>The same for programs.</summary>
    public static object Json(IReadOnlyList<ReportGroup> groups) => new
    {
        @event = "finding",
        groups = groups.Select(g => new
        {
            axes = g.Axes,
            samples = g.Samples,
            too_small = g.IsTooSmall,
            noise_correlation = Json(g.Floor),
            noise_std = Json(g.NoiseStd),
            chosen = ChosenK.Of(g).Select(c => new
            {
                intervention = c.Kind,
                tried = c.Tried,
                before = c.Point?.Before,
                nearest = c.Nearest.Before,
                above_floor = Json(c.Nearest.AboveFloor),
                reconstruction_error_images_change = c.Cost is { } cost
                    ? new { mean = cost.Mean, low = cost.Interval?.Low, high = cost.Interval?.High, p_value = cost.PValue }
                    : null,
            }),
            points = g.Points.Select(p => new
            {
                intervention_type = p.Intervention?.Type,
                before = p.Intervention?.Before,
                swap_type = p.Intervention?.SwapType,
                forward_alignment = p.Intervention?.ForwardAlignment,
                seeds = p.Runs.Select(r => r.Axis("seed")).Distinct(),
                forward_seeds = p.Runs.Select(r => r.Intervention?.ForwardSeed).OfType<long>().Distinct(),
                runs = p.Runs.Select(r => r.Manifest.Run),
                above_floor = Json(p.AboveFloor),
                correlation = Json(p.Metric(MetricKeys.Correlation)),
                latents_std = Json(p.Metric(MetricKeys.LatentStd)),
                reconstruction_error_images = Json(p.Metric(MetricKeys.ImageError)),
            }),
        }),
    };

    static object? Json(Estimate? estimate) => estimate is { } e
        ? new
        {
            mean = e.Mean, std = e.Deviation, lowest = e.Lowest, highest = e.Highest, count = e.Count, low = e.Interval?.Low,
            high = e.Interval?.High,
        }
        : null;

    static string Title(ReportGroup group)
    {
        var (fewest, most) = (group.Points.Min(p => p.Sections.Count), group.Points.Max(p => p.Sections.Count));
        return most == 1 ? group.Title : $"{group.Title}, mean of {(fewest == most ? "" : "up to ")}{most}";
    }

    static string Value(Estimate? estimate) => estimate switch
    {
        null => "",
        { Interval: { } interval } e => $"{Html.Number(e.Mean, interval)} ± {Html.Spread((interval.High - interval.Low) / 2)}",
        { } e => Html.Number(e.Mean),
    };
}

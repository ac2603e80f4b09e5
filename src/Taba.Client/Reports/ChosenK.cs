namespace Taba.Client.Reports;

/// <summary>
/// What a sweep over K says of one kind of intervention: the smallest K whose latents lie at the noise floor, or that none does.
/// </summary>
/// <param name="Kind">"forward", "swap eps".</param>
/// <param name="Tried">Every K, rising.</param>
/// <param name="Point">The smallest at the floor; null when none is.</param>
/// <param name="Nearest">The one with the least above the floor; the same when one is at it.</param>
/// <param name="Cost">What it changes in the error of images against plain inversion; null when that is not known.</param>
sealed record ChosenK(string Kind, IReadOnlyList<int> Tried, ReportPoint? Point, ReportPoint Nearest, PlainDifference? Cost)
{
    /// <summary>
    /// A choice for each kind with several K. Empty where nothing can be told from N samples, and where plain inversion is at the floor
    /// already, so that there is nothing to choose.
    /// </summary>
    public static IReadOnlyList<ChosenK> Of(ReportGroup group)
    {
        if (group.IsTooSmall || group.Plain is { } plain && IsAtFloor(plain))
            return [];
        return
        [
            .. group.Points.Where(p => p.Intervention is not null && p.Verdict != FloorVerdict.Unknown)
                .GroupBy(p => RunLabels.Kind(p.Intervention))
                // Two folders of one K are no function of it.
                .Where(kind => kind.Count() > 1 && kind.DistinctBy(p => p.Before).Count() == kind.Count())
                .Select(kind => Choose(kind.Key, [.. kind.OrderBy(p => p.Before)], group.Plain)),
        ];
    }

    /// <summary>
    /// Latents are at the floor when they are not told apart from their noise, or are below it. Few seeds have a wide interval, which holds
    /// nearly everything: then they must not be told apart over their samples either. The mean of the runs' own ends is as wide as if
    /// all runs had the same samples, which those of one seed have.
    /// </summary>
    public static bool IsAtFloor(ReportPoint point) =>
        point.Verdict is FloorVerdict.NotToldApart or FloorVerdict.Below
        && !(point.Runs.Select(r => r.Interval(MetricKeys.AboveFloor)?.Low).OfType<double>().DefaultIfEmpty(0).Average() > 0);

    static ChosenK Choose(string kind, IReadOnlyList<ReportPoint> points, ReportPoint? plain)
    {
        var chosen = points.FirstOrDefault(IsAtFloor);
        var nearest = chosen ?? points.MinBy(p => p.AboveFloor!.Value.Mean)!;
        return new(
            kind, [.. points.Select(p => p.Before)], chosen, nearest, PlainDifference.Of(nearest, plain, MetricKeys.ImageError));
    }

    /// <summary>For a page.</summary>
    public string Sentence(int samples)
    {
        var cost = Cost switch
        {
            null => "",
            { Interval: { } interval } d when d.IsTold =>
                $" It changes the error of reconstructed images by {Html.Change(d.Mean, interval)} ({Html.Change(interval)}) against "
                + "plain inversion.",
            { Interval: { } interval } d =>
                $" Its error of reconstructed images is not told apart from that of plain inversion ({Html.Change(d.Mean, interval)}, "
                + $"{Html.Change(interval)}).",
            { } d => $" It changes the error of reconstructed images by {Html.Change(d.Mean, null)} against plain inversion.",
        };
        return Point is { } point
            ? $"Of {Kind} with K = {string.Join(", ", Tried)}, K = {point.Before} is the smallest whose latents lie at the noise floor: at "
                + $"N = {samples} they are not told apart from noise.{cost}"
            : $"Of {Kind} with K = {string.Join(", ", Tried)}, no K brings the latents to the noise floor: K = {Nearest.Before} comes "
                + $"nearest and is {Html.Words(Nearest.AboveFloor!.Value)} above it.{cost}";
    }

    /// <summary>For a terminal: a line, and one of what it costs where that is known.</summary>
    public IEnumerable<string> Lines()
    {
        yield return Point is { } point
            ? $"{Kind}: K = {point.Before} is the smallest of {Tried.Count} K at the floor"
            : $"{Kind}: none of {Tried.Count} K is at the floor; K = {Nearest.Before} is {Spread(Nearest.AboveFloor!.Value)} above";
        if (Cost is { } cost)
            yield return $"  image error {(cost.Interval is { } known
                ? $"{Html.Change(cost.Mean, known)} ± {Html.Spread((known.High - known.Low) / 2)}"
                : Html.Change(cost.Mean, null))} against plain inversion"
                + (cost.Interval is not null && !cost.IsTold ? ", not told apart" : "");
    }

    static string Spread(Estimate estimate) => estimate.Interval is { } interval
        ? $"{Html.Number(estimate.Mean, interval)} ± {Html.Spread((interval.High - interval.Low) / 2)}"
        : Html.Number(estimate.Mean);
}

namespace Taba.Client.Reports;

/// <summary>Runs that share everything but intervention and seeds: what can be compared, because N is the same.</summary>
/// <param name="Axes">Values of the axes, without seeds.</param>
/// <param name="Samples">N.</param>
sealed record ReportGroup(IReadOnlyDictionary<string, string> Axes, int Samples, IReadOnlyList<ReportPoint> Points)
{
    /// <summary>A correlation of few samples is near one whatever they hold.</summary>
    const int FewestSamples = 8;

    /// <summary>A floor that leaves no room above it.</summary>
    const double HighestFloor = 0.9;

    public string Title { get; } = string.Join(", ", Axes.Select(Describe).Append($"N = {Samples}"));

    public IEnumerable<ReportRun> Runs => Points.SelectMany(p => p.Runs);

    public ReportPoint? Plain => Points.FirstOrDefault(p => p.Intervention is null);

    /// <summary>
    /// The correlation that white noise gives at this N, over seeds; null when the noise is not known. Runs of one seed share their noise.
    /// </summary>
    public Estimate? Floor { get; } = OfNoise(Points, MetricKeys.Floor);

    /// <summary>The deviation of the noise itself, about 1: what latents would have. Null when the noise is not known.</summary>
    public Estimate? NoiseStd { get; } = OfNoise(Points, MetricKeys.NoiseStd);

    /// <summary>True when nothing can be told of the latents from so few samples.</summary>
    public bool IsTooSmall => Samples < FewestSamples || Floor is { Mean: > HighestFloor };

    public static IReadOnlyList<ReportGroup> Of(IEnumerable<RunSection> sections) =>
    [
        .. sections.GroupBy(s => (Key: string.Join('\n', AxesOf(s.Run).Select(a => $"{a.Key} {a.Value}")), s.Run.Samples))
            .Select(g => new ReportGroup(AxesOf(g.First().Run).ToDictionary(), g.Key.Samples, ReportPoint.Of(g))),
    ];

    static Estimate? OfNoise(IReadOnlyList<ReportPoint> points, string metric) => Estimate.Of(
        points.SelectMany(p => p.Runs).Where(r => r.Metric(metric) is not null).DistinctBy(r => r.Axis("seed"))
            .Select(r => (r.Metric(metric), r.Interval(metric))));

    static IEnumerable<KeyValuePair<string, string>> AxesOf(ReportRun run) =>
        run.Manifest.Axes.Where(a => a.Key != "seed").OrderBy(a => a.Key switch { "model" => 0, "num_inference_steps" => 1, _ => 2 });

    static string Describe(KeyValuePair<string, string> axis) => axis.Key switch
    {
        "model" => axis.Value,
        "num_inference_steps" => $"T = {axis.Value}",
        "inversion_steps" => $"inverted in {axis.Value}",
        _ => $"{axis.Key} {axis.Value}",
    };
}

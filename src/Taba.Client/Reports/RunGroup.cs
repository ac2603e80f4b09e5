namespace Taba.Client.Reports;

/// <summary>Runs that differ in their intervention only: what can be compared, because N is the same.</summary>
sealed record RunGroup(string Title, IReadOnlyList<RunSection> Sections)
{
    public IEnumerable<ReportRun> Runs => Sections.Select(s => s.Run);

    /// <summary>The correlation that white noise gives at this N; null when the noise is not known.</summary>
    public double? NoiseFloor =>
        Runs.Select(r => r.Metric("noise_correlation.mean")).FirstOrDefault(v => v is { } number && double.IsFinite(number));

    public int Samples => Sections[0].Run.Samples;

    public static IReadOnlyList<RunGroup> Of(IEnumerable<RunSection> sections) =>
    [
        .. sections
            .GroupBy(s => (Axes: string.Join(' ', s.Run.Manifest.Axes.Select(a => $"{a.Key} {a.Value}")), s.Run.Samples))
            .Select(g => new RunGroup(Describe(g.First().Run), [.. g.OrderBy(s => RunLabels.Order(s.Run.Manifest.Intervention))])),
    ];

    static string Describe(ReportRun run)
    {
        var axes = run.Manifest.Axes.Select(a => a.Key switch
        {
            "model" => a.Value,
            "num_inference_steps" => $"T = {a.Value}",
            _ => $"{a.Key} {a.Value}",
        });
        return string.Join(", ", axes.Append($"{run.Samples} samples"));
    }
}

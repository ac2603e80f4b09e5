using Taba.Diffusion.Metrics.Uncertainty;
using Taba.Silo.Outputs;

namespace Taba.Client.Reports;

/// <summary>Runs of a group that differ in their seeds only: one bar, one row of the table, one mark of a chart.</summary>
/// <param name="Label">Unique within the group.</param>
/// <param name="Sections">Each of another seed, or of other forward noise.</param>
sealed record ReportPoint(string Label, RunIntervention? Intervention, IReadOnlyList<RunSection> Sections)
{
    public IEnumerable<ReportRun> Runs => Sections.Select(s => s.Run);

    /// <summary>K; 0 of the plain run.</summary>
    public int Before => Intervention?.Before ?? 0;

    public Estimate? Metric(string key) => Over(r => (r.Metric(key), r.Interval(key)));

    /// <summary>What the correlation of latents is above that of their own noise; null when one of them is not known.</summary>
    public Estimate? AboveFloor =>
        Over(r => (r.Metric(MetricKeys.Correlation) - r.Metric(MetricKeys.Floor), r.Interval(MetricKeys.AboveFloor)));

    public FloorVerdict Verdict => AboveFloor?.Interval switch
    {
        null => FloorVerdict.Unknown,
        { Low: > 0 } => FloorVerdict.Above,
        { High: < 0 } => FloorVerdict.Below,
        _ => FloorVerdict.NotToldApart,
    };

    /// <summary>
    /// Over the runs. Several seeds are independent and count once each, with the mean of their runs of other forward noise.
    /// </summary>
    Estimate? Over(Func<ReportRun, (double? Value, Interval? Interval)> value)
    {
        var seeds = Runs.GroupBy(r => r.Axis("seed")).Select(seed => Estimate.OfOneSeed([.. seed.Select(value)])).ToList();
        return seeds.Count == 1 ? seeds[0] : Estimate.Of(seeds.Select(seed => (seed?.Mean, seed?.Interval)));
    }

    /// <summary>The points of runs that share everything but intervention and seeds.</summary>
    public static IReadOnlyList<ReportPoint> Of(IEnumerable<RunSection> sections) =>
    [
        .. sections.GroupBy(s => RunLabels.Order(s.Run.Intervention)).OrderBy(g => g.Key).SelectMany(g => Split([.. g])),
    ];

    /// <summary>
    /// Two runs of the same seeds are one when they show the same stages. Otherwise something that is no seed sets them apart: then each
    /// sweep speaks for itself, or each folder where that does not do.
    /// </summary>
    static IEnumerable<ReportPoint> Split(IReadOnlyList<RunSection> sections)
    {
        var label = RunLabels.Of(sections[0].Run.Intervention);
        var distinct = sections.DistinctBy(s => Identity(s.Run)).ToList();
        if (DifferInSeeds(distinct))
            return [new(label, sections[0].Run.Intervention, distinct)];
        var bySweep = distinct.GroupBy(s => Path.GetDirectoryName(s.Run.Below) ?? "").ToList();
        var parts = bySweep.Count > 1 && bySweep.All(g => g.Key.Length > 0 && DifferInSeeds([.. g]))
            ? bySweep
            : distinct.GroupBy(s => s.Run.Below).ToList();
        return parts.Select(part => new ReportPoint($"{label}, {part.Key}", sections[0].Run.Intervention, [.. part]));
    }

    static bool DifferInSeeds(List<RunSection> sections) =>
        sections.DistinctBy(s => Seeds(s.Run)).Count() == sections.Count;

    static (string Seed, long? ForwardSeed) Seeds(ReportRun run) => (run.Axis("seed"), run.Intervention?.ForwardSeed);

    static string Identity(ReportRun run) =>
        run.Manifest.Stages.IsEmpty ? run.Below : string.Join(' ', run.Manifest.Stages.Select(s => s.Key));
}

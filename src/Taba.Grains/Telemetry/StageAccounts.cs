using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Taba.Grains.Stages;

namespace Taba.Grains.Telemetry;

/// <summary>Counts what the stages of this process hand out and get back. Tags name a model and a kind of stage, never a stage.</summary>
static class StageAccounts
{
    static readonly string[] s_outcomes = ["published", "given_back", "refused", "fault", "expired", "stuck", "silo_lost"];
    static readonly Meter s_meter = new(GrainInstruments.MeterName, GrainInstruments.Version);
    static readonly ConcurrentDictionary<object, Func<(StageSpec Spec, int Parts)?>> s_stages = new(ReferenceEqualityComparer.Instance);

    static readonly Counter<long> s_leased = s_meter.CreateCounter<long>("taba.part.leased", "{part}", "Parts handed out to workers");

    static readonly Counter<long> s_ended = s_meter.CreateCounter<long>("taba.part.ended", "{part}", "Leases that ended, by how they did");

    static readonly Counter<long> s_rows = s_meter.CreateCounter<long>("taba.row.published", "{row}", "Rows whose result is published");

    static readonly Counter<long> s_failed = s_meter.CreateCounter<long>("taba.sample.failed", "{sample}", "Samples that are given up");

    static StageAccounts() =>
        s_meter.CreateObservableUpDownCounter("taba.part.out", ReadParts, "{part}", "Parts that are out with workers");

    /// <summary>A stage's grain lives in this process.</summary>
    /// <param name="read">Its spec and how many parts are out; null while it is not asked for anything. Any thread may call it.</param>
    public static void Open(object stage, Func<(StageSpec Spec, int Parts)?> read) => s_stages[stage] = read;

    public static void Close(object stage) => s_stages.TryRemove(stage, out _);

    /// <summary>A sweep asks for rows: from now on what may go wrong is counted, at first as nothing.</summary>
    public static void Demanded(StageSpec spec)
    {
        foreach (var outcome in s_outcomes)
            s_ended.Add(0, [.. Tags(spec), new("taba.outcome", outcome)]);
        foreach (var kind in Enum.GetNames<FailureKind>())
            s_failed.Add(0, [.. Tags(spec), new("error.type", kind)]);
    }

    public static void Leased(StageSpec spec, int parts) => s_leased.Add(parts, Tags(spec));

    /// <param name="outcome">published, given_back, refused, fault, expired, stuck or silo_lost.</param>
    public static void Ended(StageSpec? spec, string outcome)
    {
        if (spec is not null)
            s_ended.Add(1, [.. Tags(spec), new("taba.outcome", outcome)]);
    }

    public static void Published(StageSpec? spec, int rows)
    {
        if (spec is not null)
            s_rows.Add(rows, Tags(spec));
    }

    public static void Failed(StageSpec spec, FailureKind kind) => s_failed.Add(1, [.. Tags(spec), new("error.type", kind.ToString())]);

    static IEnumerable<Measurement<int>> ReadParts() => s_stages.Values
        .Select(read => read()).OfType<(StageSpec Spec, int Parts)>()
        .GroupBy(s => (Model: GrainInstruments.Model(s.Spec), s.Spec.Kind))
        .Select(g => new Measurement<int>(g.Sum(s => s.Parts), GrainInstruments.Tags(g.Key.Model, g.Key.Kind)))
        .ToList();

    static KeyValuePair<string, object?>[] Tags(StageSpec spec) => GrainInstruments.Tags(GrainInstruments.Model(spec), spec.Kind);
}

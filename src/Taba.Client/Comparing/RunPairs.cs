using Taba.Client.Reports;

namespace Taba.Client.Comparing;

/// <summary>A run of A beside the run of B that is the same but for what sets the two sides apart.</summary>
/// <param name="Label">What the pair has of its own within its side; empty when each side is one run.</param>
sealed record RunPair(string Label, ReportRun A, ReportRun B);

/// <summary>Two sides run by run.</summary>
/// <param name="OnlyA">Runs of A without a partner.</param>
/// <param name="OnlyB">Runs of B without a partner.</param>
sealed record RunPairs(IReadOnlyList<RunPair> Pairs, IReadOnlyList<ReportRun> OnlyA, IReadOnlyList<ReportRun> OnlyB)
{
    /// <summary>
    /// Pairs runs of equal axes and interventions. What is the same throughout a side (its model, its only seed) is no part of that: it may
    /// be what the comparison is about.
    /// </summary>
    public static RunPairs Of(IReadOnlyList<ReportRun> a, IReadOnlyList<ReportRun> b)
    {
        if (a.Count == 1 && b.Count == 1)
            return new([new("", a[0], b[0])], [], []);
        var names = a.Concat(b).SelectMany(r => Fields(r).Keys).Distinct()
            .Where(name => Several(a, name) || Several(b, name)).ToList();
        var (left, right) = (Keyed(a, names), Keyed(b, names));
        return new(
            [.. left.Where(l => right.ContainsKey(l.Key)).Select(l => new RunPair(l.Key, l.Value, right[l.Key]))],
            [.. a.Where(r => !right.ContainsKey(Key(r, names)))], [.. b.Where(r => !left.ContainsKey(Key(r, names)))]);
    }

    static bool Several(IReadOnlyList<ReportRun> runs, string name) =>
        runs.Select(r => Fields(r).GetValueOrDefault(name, "")).Distinct().Count() > 1;

    /// <summary>In the order of the runs; of several with one key the first.</summary>
    static Dictionary<string, ReportRun> Keyed(IReadOnlyList<ReportRun> runs, IReadOnlyList<string> names) =>
        runs.DistinctBy(r => Key(r, names)).ToDictionary(r => Key(r, names));

    static string Key(ReportRun run, IReadOnlyList<string> names)
    {
        var fields = Fields(run);
        var axes = names.Where(n => n != Intervention && fields.GetValueOrDefault(n, "").Length > 0).Select(n => $"{n} {fields[n]}");
        return string.Join(", ", names.Contains(Intervention) ? axes.Prepend(fields[Intervention]) : axes);
    }

    const string Intervention = "intervention";

    static Dictionary<string, string> Fields(ReportRun run)
    {
        var fields = run.Manifest.Axes.ToDictionary();
        fields[Intervention] = RunLabels.Of(run.Intervention);
        fields["forward seed"] = $"{run.Intervention?.ForwardSeed}";
        return fields;
    }
}

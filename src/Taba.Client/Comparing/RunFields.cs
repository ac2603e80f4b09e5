using Taba.Client.Reports;

namespace Taba.Client.Comparing;

/// <summary>A setting that the two sides do not share.</summary>
/// <param name="A">Null when that side does not have it.</param>
sealed record SettingDifference(string Name, string? A, string? B);

/// <summary>Everything that a run's numbers depend on, and what made them, as names and values.</summary>
static class RunFields
{
    /// <summary>Places are no settings; and what stands under another name already is not said twice.</summary>
    static readonly string[] s_leftOut = ["output_dir", "save_dir", "cmd", "n_samples", "forward_before_t", "swap_before_t", "stage"];

    /// <summary>What all runs of a side have in common, and the other side has otherwise.</summary>
    public static IReadOnlyList<SettingDifference> Differences(IReadOnlyList<ReportRun> a, IReadOnlyList<ReportRun> b)
    {
        var (left, right) = (Common(a), Common(b));
        return
        [
            .. left.Keys.Union(right.Keys).Where(name => left.GetValueOrDefault(name) != right.GetValueOrDefault(name))
                .Where(name => Settled(a, name) && Settled(b, name))
                .Select(name => new SettingDifference(name, left.GetValueOrDefault(name), right.GetValueOrDefault(name))),
        ];
    }

    static Dictionary<string, string> Common(IReadOnlyList<ReportRun> runs) =>
        Of(runs[0]).Where(f => runs.All(r => Of(r).GetValueOrDefault(f.Key) == f.Value)).ToDictionary();

    /// <summary>True when no two runs of a side have it otherwise.</summary>
    static bool Settled(IReadOnlyList<ReportRun> runs, string name) =>
        runs.Select(r => Of(r).GetValueOrDefault(name)).Distinct().Count() == 1;

    static Dictionary<string, string> Of(ReportRun run)
    {
        var fields = run.Manifest.Axes.ToDictionary();
        fields["samples"] = $"{run.Samples}";
        foreach (var (name, value) in RunSettings.InterventionNames.Zip(RunSettings.InterventionValues(run.Intervention)))
        {
            if (value.Length > 0)
                fields[name] = value;
        }
        foreach (var (name, value) in run.Parameters.Where(p => p.Value != "null" && !s_leftOut.Contains(p.Key)))
            fields.TryAdd(name, value);
        foreach (var stage in run.Manifest.Stages)
        {
            // The key of the stage before says nothing that the fields of that stage do not.
            foreach (var (name, value) in stage.Fields.Where(
                f => !s_leftOut.Contains(f.Key) && !f.Value.StartsWith("stage ", StringComparison.Ordinal)))
                fields.TryAdd(name is "model" ? "model digest" : name, value);
        }
        if (run.Manifest.Device.Length > 0)
            fields["device"] = run.Manifest.Device;
        foreach (var (name, value) in run.Manifest.Versions)
            fields.TryAdd($"version of {name}", value);
        return fields;
    }
}

using Taba.Client.Progress;
using Taba.Grains.Silos;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Client.Clusters;

/// <summary>Sweeps and silos as tables of text, which fit a terminal of 100 columns.</summary>
static class SweepTables
{
    const int Columns = 100;
    const int IdDigits = 8;
    const int MostUser = 14;

    public static void WriteList(TextWriter output, IReadOnlyList<SweepEntry> sweeps)
    {
        if (sweeps.Count == 0)
        {
            output.WriteLine("No sweeps.");
            return;
        }
        var state = sweeps.Max(s => SweepText.Word(s).Length);
        var user = Math.Clamp(sweeps.Max(s => s.User?.Length ?? 0), 4, MostUser);
        var rest = Columns - IdDigits - state - user - 47;
        var name = Math.Clamp(sweeps.Max(s => s.Name.Length), 4, Math.Max(8, rest));
        output.WriteLine(
            $"{"id".PadRight(IdDigits)}  {"name".PadRight(name)}  {"state".PadRight(state)}  {"done",5}  {"per s",7}  {"left",11}  "
            + $"{"lost",4}  {"prio",4}  user");
        foreach (var s in sweeps)
        {
            var p = s.Progress;
            var runs = SweepText.StateOf(s) is SweepState.Running;
            output.WriteLine(
                $"{Cut(s.SweepId, IdDigits, "")}  {Cut(s.Name, name).PadRight(name)}  {SweepText.Word(s).PadRight(state)}  "
                + $"{(p is null ? "" : ProgressText.Percent(p.EvaluationsDone, p.EvaluationsPlanned)),5}  "
                + $"{(runs && p?.Rate is { } rate ? PerSecond(rate) : ""),7}  "
                + $"{(runs && p is not null ? Quantities.Duration(p.Left) : ""),11}  "
                + $"{(p is null or { Recovered: 0 } ? "" : $"{p.Recovered}"),4}  {s.Priority,4}  {Cut(s.User ?? "", MostUser)}".TrimEnd());
        }
    }

    /// <param name="fares">How they fare, by their addresses.</param>
    public static void WriteSilos(TextWriter output, IReadOnlyList<SiloInfo> silos, IReadOnlyDictionary<string, SiloStanding> fares)
    {
        var name = silos.Select(s => s.Name.Length).Append(4).Max();
        output.WriteLine(
            $"{"silo".PadRight(name)}  {"role",-11}  {"device",-8}  {"memory",10}  {"batch",5}  {"busy",7}  {"per s",7}  {"parts",5}  "
            + "version");
        foreach (var s in silos)
        {
            var fare = fares.GetValueOrDefault(s.Worker);
            var busy = string.Join(' ', (fare?.Devices ?? []).Select(d => SiloText.Busy(d.Last)).Distinct());
            output.WriteLine(
                $"{s.Name.PadRight(name)}  {s.Role.ToString().ToLowerInvariant(),-11}  "
                + $"{(s.Devices == 1 ? s.DeviceKind : $"{s.DeviceKind} x{s.Devices}"),-8}  "
                + $"{(s.DeviceMemory == 0 ? "unknown" : Quantities.Bytes(s.DeviceMemory)),10}  {SiloText.Batch(s, fare),5}  {busy,7}  "
                + $"{(fare is null or { Devices.IsEmpty: true } ? "" : PerSecond(fare.Devices.Sum(d => d.EvaluationsPerSecond))),7}  "
                + $"{fare?.Fare.PartsHeld.ToString() ?? "",5}  {SiloVersions.Of(s)}");
        }
        foreach (var s in silos)
        {
            if (fares.GetValueOrDefault(s.Worker) is { } fare)
            {
                foreach (var sentence in SiloText.Troubles(fare).Concat(SiloText.Idle(fare)))
                    output.WriteLine($"{s.Name}: {sentence}");
            }
        }
        foreach (var sentence in SiloVersions.Differences(silos))
            output.WriteLine(sentence);
    }

    /// <summary>A sweep: its figures, its stages, what they wait for, what failed, what troubles it.</summary>
    /// <param name="all">A line a stage, however many there are.</param>
    public static void WriteStatus(
        TextWriter output, SweepPlan plan, SweepStatus status, IReadOnlyDictionary<string, string> names, WaitKnowledge known, bool all)
    {
        output.WriteLine($"{status.SweepId} {plan.Name}: {ProgressText.Of(status)}");
        var since = status.SubmittedAt is { } at ? $"submitted {at.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC" : null;
        var by = status.User is { } user ? $"by {user}" : null;
        var priority = plan.Priority == 0 ? null : $"priority {plan.Priority}";
        var about = string.Join(", ", new[] { string.Join(' ', new[] { since, by }.OfType<string>()), priority, ProgressText.Recovered(
            status.Recovered) }.Where(t => !string.IsNullOrEmpty(t)));
        if (about.Length > 0)
            output.WriteLine($"  {about}");
        WriteStages(output, StageLine.Of(status, names, all));
        foreach (var line in WaitLines.Of(plan, status, names, known))
            output.WriteLine($"  {line}");
        foreach (var line in FailureText.Lines(status, key => names.GetValueOrDefault(key, key)))
            output.WriteLine($"  {line}");
        foreach (var trouble in SweepText.Troubles(status))
            output.WriteLine($"  {trouble}");
    }

    /// <summary>The parts of a stage that are out.</summary>
    public static void WriteParts(TextWriter output, string stage, StageParts parts)
    {
        foreach (var lease in parts.Leases)
        {
            output.WriteLine(
                $"  {stage} rows {lease.Rows} on {lease.Host}: {Quantities.Count(lease.Evaluations)} of "
                + $"{Quantities.Count(lease.EvaluationsPlanned)} evaluations, out for {Quantities.Duration(lease.Age)}"
                + (lease.SinceAdvance > TimeSpan.FromSeconds(10) ? $", not got on for {Quantities.Duration(lease.SinceAdvance)}" : "")
                + (lease.Alone ? ", suspect and alone" : ""));
        }
        if (parts.LeasesTotal > parts.Leases.Length)
            output.WriteLine($"  {stage}: and {parts.LeasesTotal - parts.Leases.Length} more parts");
    }

    /// <summary>What happened to a sweep, the oldest first.</summary>
    public static void WriteLog(TextWriter output, IEnumerable<SweepLogEntry> log)
    {
        foreach (var entry in log)
            output.WriteLine($"{entry.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}  {LogText.Of(entry)}");
    }

    static void WriteStages(TextWriter output, IReadOnlyList<StageLine> lines)
    {
        var (name, rows, reused, evaluations) = (
            Width(l => l.Name, "stage"), Width(l => l.Rows, "rows"), Width(l => l.Reused, "reused"),
            Width(l => l.Evaluations, "evaluations"));
        output.WriteLine(
            $"  {"stage".PadRight(name)}  {"rows".PadLeft(rows)}  {"reused".PadLeft(reused)}  {"evaluations".PadLeft(evaluations)}  state");
        foreach (var l in lines)
        {
            output.WriteLine(
                $"  {l.Name.PadRight(name)}  {l.Rows.PadLeft(rows)}  {l.Reused.PadLeft(reused)}  {l.Evaluations.PadLeft(evaluations)}  "
                + l.State);
        }

        int Width(Func<StageLine, string> column, string title) => lines.Select(l => column(l).Length).Append(title.Length).Max();
    }

    static string PerSecond(double rate) => rate >= 10 ? Quantities.Count(rate) : FormattableString.Invariant($"{rate:0.0}");

    static string Cut(string text, int most, string dots = "...") =>
        text.Length <= most ? text : $"{text[..(most - dots.Length)]}{dots}";
}

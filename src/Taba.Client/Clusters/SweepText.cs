using System.Globalization;
using Taba.Client.Progress;
using Taba.Grains.Faults;
using Taba.Grains.Silos;
using Taba.Grains.Sweeps;

namespace Taba.Client.Clusters;

/// <summary>Sweeps and silos as lines of text.</summary>
static class SweepText
{
    public const int IdDigits = 12;

    public static string Word(SweepEntry sweep) =>
        sweep.Ended is { } ended ? Word(ended) : sweep.Paused ? Word(SweepState.Paused) : Word(SweepState.Running);

    public static string Word(SweepState state) => state switch
    {
        SweepState.CompletedWithFailures => "completed with failures",
        _ => state.ToString().ToLowerInvariant(),
    };

    public static void WriteList(TextWriter output, IReadOnlyList<SweepEntry> sweeps)
    {
        if (sweeps.Count == 0)
        {
            output.WriteLine("No sweeps.");
            return;
        }
        var name = Math.Max(4, sweeps.Max(s => s.Name.Length));
        output.WriteLine($"{"id".PadRight(IdDigits)}  {"name".PadRight(name)}  {"state",-23}  {"priority",8}  submitted (UTC)");
        foreach (var s in sweeps)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{Short(s.SweepId).PadRight(IdDigits)}  {s.Name.PadRight(name)}  {Word(s),-23}  {s.Priority,8}  "
                + $"{s.SubmittedAt.UtcDateTime:yyyy-MM-dd HH:mm:ss}"));
        }
    }

    public static void WriteSilos(TextWriter output, IReadOnlyList<SiloInfo> silos)
    {
        var name = silos.Select(s => s.Name.Length).Append(4).Max();
        output.WriteLine($"{"silo".PadRight(name)}  {"role",-11}  {"device",-8}  {"memory",10}  {"batch",-5}  version");
        foreach (var s in silos)
        {
            output.WriteLine(
                $"{s.Name.PadRight(name)}  {s.Role.ToString().ToLowerInvariant(),-11}  "
                + $"{(s.Devices == 1 ? s.DeviceKind : $"{s.DeviceKind} x{s.Devices}"),-8}  "
                + $"{(s.DeviceMemory == 0 ? "unknown" : Quantities.Bytes(s.DeviceMemory)),10}  {s.BatchSize,-5}  {SiloVersions.Of(s)}");
        }
        foreach (var sentence in SiloVersions.Differences(silos))
            output.WriteLine(sentence);
    }

    /// <param name="names">Names of stages by key.</param>
    public static void WriteStatus(TextWriter output, SweepStatus status, IReadOnlyDictionary<string, string> names)
    {
        output.WriteLine(
            $"{status.SweepId}: {Word(status.State)}, {Quantities.Count(status.EvaluationsDone)} of "
            + $"{Quantities.Count(status.EvaluationsPlanned)} evaluations");
        foreach (var stage in status.Stages)
        {
            var failed = stage.RowsFailed == 0 ? "" : $", {stage.RowsFailed} failed";
            var out_ = stage.PartsLeased == 0 ? "" : $", {stage.PartsLeased} parts out";
            output.WriteLine(
                $"  {names.GetValueOrDefault(stage.Key, StageNames.Of(stage.Kind))}: {stage.RowsDone} of {stage.RowsWanted} "
                + $"rows{failed}{out_}");
        }
        foreach (var line in FailureText.Lines(status, key => names.GetValueOrDefault(key, key)))
            output.WriteLine($"  {line}");
        foreach (var trouble in Troubles(status))
            output.WriteLine($"  {trouble}");
    }

    /// <summary>Sentences on what a sweep waits for, and on silos that take no part in it.</summary>
    public static IEnumerable<string> Troubles(SweepStatus status)
    {
        foreach (var stage in status.Stages.Where(s => s.Silence is not null))
            yield return $"stage {StageNames.Of(stage.Kind)} ({Short(stage.Key)}) does not answer, and stands as it was seen last: "
                + stage.Silence;
        foreach (var refusal in status.Refusals)
            yield return $"silo {refusal.Silo} does not work on it: {refusal.Reason}";
        foreach (var pause in status.Pauses)
            yield return Sentence(pause);
        if (status.Fault is { } fault)
            yield return $"waits and tries again: {fault}";
    }

    static string Sentence(HostPause pause)
    {
        var often = pause.Failures == 1 ? "failed" : $"failed {pause.Failures} times in a row";
        var then = pause.Remaining == TimeSpan.MaxValue ? "is asked again when the sweep is submitted again"
            : pause.Remaining > TimeSpan.Zero ? $"is asked again in {Quantities.Duration(pause.Remaining)}"
            : "is asked again now";
        return $"host {pause.Host} {often} and {then}: {pause.Reason}";
    }

    static string Short(string id) => id.Length > IdDigits ? id[..IdDigits] : id;
}

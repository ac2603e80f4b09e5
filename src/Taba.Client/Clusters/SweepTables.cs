using System.Globalization;
using Taba.Grains.Silos;
using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Client.Clusters;

/// <summary>Sweeps and silos as lines of text.</summary>
static class SweepTables
{
    public static void WriteList(TextWriter output, IReadOnlyList<SweepEntry> sweeps)
    {
        if (sweeps.Count == 0)
        {
            output.WriteLine("No sweeps.");
            return;
        }
        var name = Math.Max(4, sweeps.Max(s => s.Name.Length));
        output.WriteLine($"{"id".PadRight(SweepText.IdDigits)}  {"name".PadRight(name)}  {"state",-23}  {"priority",8}  submitted (UTC)");
        foreach (var s in sweeps)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{SweepText.Short(s.SweepId).PadRight(SweepText.IdDigits)}  {s.Name.PadRight(name)}  {SweepText.Word(s),-23}  {s.Priority,8}  "
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
            $"{status.SweepId}: {SweepText.Word(status.State)}, {Quantities.Count(status.EvaluationsDone)} of "
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
        foreach (var trouble in SweepText.Troubles(status))
            output.WriteLine($"  {trouble}");
    }
}

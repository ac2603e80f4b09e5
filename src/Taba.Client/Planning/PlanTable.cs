using System.Globalization;
using Taba.Client.Hosts;
using Taba.Grains.Words;
using Taba.Grains.Sweeps;

namespace Taba.Client.Planning;

/// <summary>A plan as a table.</summary>
static class PlanTable
{
    const string Unknown = "unknown";

    public static void Write(TextWriter output, PlanOutline outline, PlanEstimate estimate, string folder)
    {
        var plan = outline.Plan;
        var id = outline.IsExact ? $" ({plan.SweepId})" : "";
        output.WriteLine($"sweep {plan.Name}{id}: {plan.Runs.Length} runs, {plan.Stages.Length} stages, into {folder}");
        output.WriteLine();
        var names = StageNames.Of(plan);
        string[][] rows =
        [
            ["stage", "family", "precision", "samples", "reused", "evaluations", "bytes", "key"],
            .. estimate.Stages.Select(s => new[]
            {
                names[s.Stage.Key], s.Stage.Spec.Model.Family,
                PrecisionOf(s), $"{s.Stage.Rows.Count}", outline.IsExact ? $"{s.Reused}" : Unknown,
                Quantities.Count(s.Evaluations), Quantities.Bytes(s.Bytes), outline.IsExact ? s.Stage.Key[..12] : Unknown,
            }),
        ];
        var widths = Enumerable.Range(0, rows[0].Length).Select(c => rows.Max(r => r[c].Length)).ToArray();
        foreach (var row in rows)
            output.WriteLine(string.Join(
                "  ", row.Select((cell, c) => c is >= 3 and <= 6 ? cell.PadLeft(widths[c]) : cell.PadRight(widths[c]))).TrimEnd());
        output.WriteLine();
        output.WriteLine("runs:");
        foreach (var run in plan.Runs)
            output.WriteLine($"  {run.Slug}");
        var rest = !outline.IsExact ? " at most" : estimate.Evaluations == plan.Evaluations ? ""
            : $" (of {Quantities.Count(plan.Evaluations)}; the rest is in the store)";
        output.WriteLine($"network evaluations: {Quantities.Count(estimate.Evaluations)}{rest}");
        Write(output, PlanSharing.Of(plan));
        output.WriteLine(
            $"bytes to be written: {Quantities.Bytes(estimate.StoreBytes)} store, {Quantities.Bytes(estimate.FolderBytes)} run folders");
        output.WriteLine($"and at most {Quantities.Bytes(estimate.WorkingBytes)} of checkpoints and scratch files while it runs");
        output.WriteLine($"estimated time: {(outline.IsExact ? Time(estimate) : Unknown)}");
        if (estimate is { Flops: { } flops, Yardstick: { } yardstick })
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"work of the networks: {flops / 1e15:#,0.#} PFLOP, which an H200 at 40 % of its speed in half precision does in "
                + $"{Quantities.Duration(yardstick)}"));
        foreach (var absent in outline.Absent)
        {
            var size = absent.Bytes is { } bytes
                ? $"about {Quantities.Bytes(bytes)}{(absent.IsHalf ? " (twice that if its repository has no fp16 files)" : "")}"
                : "of a size that is not known here";
            output.WriteLine($"not here: {absent.Name}, {size}, from {absent.Source}: a run fetches it, or taba models pull {absent.Name}");
        }
        if (!outline.IsExact)
            output.WriteLine("What the store holds of these stages, and the time they take, is unknown until then.");
    }

    static void Write(TextWriter output, PlanSharing sharing)
    {
        if (sharing.Saves is { } saves)
            output.WriteLine(saves);
        if (sharing.Swapped > 0)
            output.WriteLine($"swapped steps skip the network another {Quantities.Count(sharing.Swapped)} times");
    }

    /// <summary>The time and what it rests on, or what is missing for it.</summary>
    static string Time(PlanEstimate estimate)
    {
        var needed = estimate.Stages.Where(s => s.Evaluations > 0 && s.Stage.Spec.HasSteps).DistinctBy(
            s => StageEngine.Of(s.Stage.Spec)).ToList();
        if (needed.Count == 0)
            return "nothing to compute";
        if (estimate.Time is not { } time)
        {
            var unknown = needed.Where(s => s.Speed is null).Select(s => ModelOf(s.Stage)).Distinct();
            return $"unknown (no run in this store measured {string.Join(", ", unknown)} on this machine and device)";
        }
        var basis = needed.Select(
            s =>
            $"{ModelOf(s.Stage)} made {Quantities.Rate(s.Speed!.PerSecond)} at batch size {s.Speed.BatchSize} over "
            + $"{Quantities.Count(s.Speed.Evaluations)} evaluations");
        var decoding = estimate.Stages.Any(s => s.Evaluations > 0 && !s.Stage.Spec.HasSteps) ? ", decoding not counted" : "";
        return $"{Quantities.Duration(time)} of computing{decoding} (on this machine {string.Join("; ", basis)})";
    }

    static string ModelOf(PlannedStage stage)
    {
        var path = stage.Spec.Model.Path;
        var folder = Directory.Exists(path) ? path : Path.GetDirectoryName(path);
        return $"{Path.GetFileName(folder)} in {stage.Spec.Precision.Network.Name()}";
    }

    static string PrecisionOf(StageEstimate s)
    {
        var p = s.Stage.Spec.Precision;
        return p.Network == p.State && p.State == p.Noise ? p.Network.Name() : $"{p.Network.Name()}/{p.State.Name()}/{p.Noise.Name()}";
    }
}

using Taba.Storage.RunFolders;
using System.Collections.Immutable;
using Taba.Grains.Sweeps;

namespace Taba.Silo.Outputs;

/// <summary>Compares a folder that is there with the run that is to be written into it.</summary>
public static class RunFolderCheck
{
    /// <summary>A sentence that says which fields differ when a folder holds other stages; null when it may be written.</summary>
    public static string? Conflict(SweepPlan plan, PlannedRun run, OutputFolder folder)
    {
        if (RunFolder.Read(folder) is not { } existing)
            return null;
        foreach (var stage in RunStages.Of(plan, run))
        {
            var kind = RunStages.Kind(run, stage);
            var old = existing.Stages.FirstOrDefault(s => s.Kind == kind);
            if (old is null || old.Key == stage.Key)
                continue;
            var fields = StageKey.Fields(stage.Spec).ToDictionary(f => f.Name, f => f.Value);
            var differing = fields.Keys.Union(old.Fields.Keys).Where(
                name => fields.GetValueOrDefault(name) != old.Fields.GetValueOrDefault(name))
                // A different input is a consequence when something before it differs.
                .OrderBy(name => name is "input" or "swap_source" ? 1 : 0)
                .Select(
                    name =>
                    $"{name} is {old.Fields.GetValueOrDefault(name) ?? "absent"} there and {fields.GetValueOrDefault(name) ?? "absent"} "
                    + "here");
            return $"{folder.Place} holds another run: in its {kind} stage {string.Join(", ", differing)}. Choose another --save_dir or "
                + "--out, or move that folder away.";
        }
        return existing.RowStart < run.Rows.Start || existing.RowEnd > run.Rows.End
            ? $"{folder.Place} holds {Samples(existing.RowStart, existing.RowEnd)} of this run, and this command would leave "
                + $"{Samples(run.Rows.Start, run.Rows.End)} there: ask for at least those, choose another --save_dir or --out, or "
                + "move that folder away (the store keeps what was computed)."
            : null;
    }

    static string Samples(int start, int end) => start == 0 ? $"{end} samples" : $"samples {start} to {end - 1}";

    /// <summary>The folder's manifest when everything in it is already as it should be.</summary>
    internal static RunFolder? Current(PlannedRun run, OutputFolder folder, ImmutableArray<RunStage> stages, RunFolderOptions options)
    {
        if (Readable(folder) is not { } existing
            || existing.RowStart != run.Rows.Start || existing.RowEnd != run.Rows.End
            || !existing.HasAxesOf(run)
            || !existing.Tensors.Select(t => t.Name).SequenceEqual(run.Tensors.Select(t => t.Name))
            || !existing.Tensors.Zip(run.Tensors).All(p => p.First.Steps.SequenceEqual(p.Second.Steps))
            || options.WithMetrics != (folder.Length(RunFolder.MetricsName) is not null)
            || (options.WithMetrics && !existing.HasAnalysesOf(run)))
        {
            return null;
        }
        var extension = options.Format.Extension();
        var same = existing.Stages.Length == stages.Length && existing.Stages.Zip(stages).All(p =>
            p.First.Key == p.Second.Key && p.First.Parts.Length == p.Second.Parts.Length
            && p.First.Parts.Zip(p.Second.Parts).All(q => q.First.RowStart == q.Second.RowStart && q.First.Attempt == q.Second.Attempt));
        return same && existing.Tensors.All(t => t.File.EndsWith(extension, StringComparison.Ordinal)
            && folder.Length(t.File) == t.Bytes) ? existing : null;
    }

    /// <summary>A manifest that is none of ours was refused before, or is to be overwritten.</summary>
    static RunFolder? Readable(OutputFolder folder)
    {
        try
        {
            return RunFolder.Read(folder);
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }
}

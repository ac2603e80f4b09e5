using Taba.Silo.Rows;
using Taba.Storage.RunFolders;
using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Storage.Manifests;
using Taba.Storage.Objects;

namespace Taba.Silo.Outputs;

/// <summary>
/// Writes run folders: views of published parts under upstream's names. A crash repeats only the assembly; a folder that is
/// already what it should be is left alone. One writer serves the runs of one sweep; on a disk it links what they share.
/// </summary>
public sealed class RunFolderWriter(TensorStore store, RunFolderOptions options, TimeProvider time) : IDisposable
{
    readonly NoiseSources _noise = new();
    RunTensorWriter? _tensors;
    RunMetrics? _metrics;

    /// <summary>Writes or refreshes the folder of a sweep that has ended.</summary>
    /// <exception cref="StoreException">A row is not published and did not fail, or the disk is full.</exception>
    public Task<RunFolder> WriteAsync(
        SweepPlan plan, PlannedRun run, OutputFolder folder, SweepStatus status, CancellationToken cancellationToken) =>
        WriteAsync(plan, run, folder, status.Stages, new SubstitutedRows(
            status.Substitutions.IsDefault ? [] : status.Substitutions), cancellationToken);

    /// <summary>Writes or refreshes a folder of which no row failed, and whose rows all stand under the planned keys.</summary>
    /// <exception cref="StoreException">A row is not published and did not fail, or the disk is full.</exception>
    public Task<RunFolder> WriteAsync(
        SweepPlan plan, PlannedRun run, OutputFolder folder, CancellationToken cancellationToken) =>
        WriteAsync(plan, run, folder, [], SubstitutedRows.None, cancellationToken);

    async Task<RunFolder> WriteAsync(
        SweepPlan plan, PlannedRun run, OutputFolder folder, ImmutableArray<StageStatus> said, SubstitutedRows substitutes,
        CancellationToken cancellationToken)
    {
        var tensors = _tensors ??= new RunTensorWriter(store, _noise, options.Format);
        var stages = RunStages.Of(plan, run);
        var described = await RunStages.DescribeAsync(store, run, stages, substitutes, cancellationToken);
        if (RunFolderCheck.Current(run, folder, described, options) is { } current)
        {
            foreach (var (tensor, file) in run.Tensors.Zip(current.Tensors))
                tensors.Remember(run, tensor, folder.LocalPath(file.File));
            return current;
        }
        folder.Prepare();
        // Without its manifest the folder counts as unfinished until the new one is written.
        folder.Delete(RunFolder.ManifestName);

        var failed = said.Aggregate(RowSet.Empty, (rows, stage) => rows.Union(stage.Failed.Rows()));
        var files = ImmutableArray.CreateBuilder<RunFile>();
        foreach (var tensor in run.Tensors)
            files.Add(
                await Task.Run(() => tensors.WriteAsync(run, tensor, folder, failed, substitutes, cancellationToken), cancellationToken));
        if (run.Prompts is { } prompts)
            await PromptOutputs.WriteAsync(prompts, run.Rows, folder, options.Format);
        if (options.WithMetrics)
        {
            _metrics ??= new RunMetrics(store, _noise, options.Pass);
            var numbers = await Task.Run(() => _metrics.ComputeAsync(run, substitutes, cancellationToken), cancellationToken);
            numbers.Insert(0, "_params", RunParameters.Of(run, folder, options));
            folder.Write(RunFolder.MetricsName, [.. PythonJson.Write(numbers), (byte)'\n']);
        }
        var keys = stages.Select(s => s.Key).ToList();
        var written = new RunManifest(options, time).Of(plan, run, described, files.ToImmutable(), stages, said) with
        {
            Retried = substitutes.Retries(keys, run.Rows),
            Substitutes = substitutes.Substitutes(keys, run.Rows),
        };
        folder.Write(
            RunFolder.ManifestName, Encoding.UTF8.GetBytes(JsonSerializer.Serialize(written, RunJson.Options) + "\n"));
        return written;
    }

    public void Dispose()
    {
        _metrics?.Dispose();
        _noise.Dispose();
    }
}

using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Taba.Diffusion.Schedules;
using Taba.Diffusion.Tensors;
using Taba.Grains;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;
using Taba.Silo.Engines;
using Taba.Silo.Models;
using Taba.Silo.Storage;

namespace Taba.Silo.Outputs;

/// <summary>
/// Writes run folders: views of published parts under upstream's names. A crash repeats only the assembly; a folder that is
/// already what it should be is left alone. One writer serves the runs of one sweep; on a disk it links what they share.
/// </summary>
public sealed class RunFolderWriter(ITensorStore store, RunFolderOptions options, TimeProvider time) : IDisposable
{
    const string MetricsName = "metrics.json";

    readonly NoiseSources _noise = new();
    readonly Dictionary<string, string?> _written = [];
    RunMetrics? _metrics;

    /// <summary>A sentence that says which fields differ when a folder holds other stages; null when it may be written.</summary>
    public static string? Conflict(SweepPlan plan, PlannedRun run, IOutputFolder folder)
    {
        if (RunFolder.Read(folder) is not { } existing)
            return null;
        foreach (var stage in StagesOf(plan, run))
        {
            var kind = Kind(run, stage);
            var old = existing.Stages.FirstOrDefault(s => s.Kind == kind);
            if (old is null || old.Key == stage.Key)
                continue;
            var fields = StageKey.Fields(stage.Spec).ToDictionary(f => f.Name, f => f.Value);
            var differing = fields.Keys.Union(old.Fields.Keys).Where(name => fields.GetValueOrDefault(name) != old.Fields.GetValueOrDefault(name))
                // A different input is a consequence when something before it differs.
                .OrderBy(name => name is "input" or "swap_source" ? 1 : 0)
                .Select(name => $"{name} is {old.Fields.GetValueOrDefault(name) ?? "absent"} there and {fields.GetValueOrDefault(name) ?? "absent"} here");
            return $"{folder.Place} holds another run: in its {kind} stage {string.Join(", ", differing)}. Choose another --save_dir or --out, or move that folder away.";
        }
        return null;
    }

    /// <summary>The bytes of a run folder's tensors.</summary>
    public static long BytesOf(PlannedRun run) => run.Tensors.Sum(t =>
        run.Rows.Count * (t.Shape?.Bytes ?? sizeof(long)) * Math.Max(1, t.Steps.Length));

    /// <summary>Writes or refreshes the folder of a sweep that has ended.</summary>
    /// <exception cref="StoreException">A row is not published and did not fail, or the disk is full.</exception>
    public Task<RunFolder> WriteAsync(SweepPlan plan, PlannedRun run, IOutputFolder folder, SweepStatus status, CancellationToken cancellationToken) =>
        WriteAsync(plan, run, folder, status.Failures, new SubstitutedRows(status.Substitutions.IsDefault ? [] : status.Substitutions), cancellationToken);

    /// <summary>Writes or refreshes a folder whose rows all stand under the planned keys.</summary>
    /// <exception cref="StoreException">A row is not published and did not fail, or the disk is full.</exception>
    public Task<RunFolder> WriteAsync(
        SweepPlan plan, PlannedRun run, IOutputFolder folder, ImmutableArray<SampleFailure> failures, CancellationToken cancellationToken) =>
        WriteAsync(plan, run, folder, failures, SubstitutedRows.None, cancellationToken);

    async Task<RunFolder> WriteAsync(
        SweepPlan plan, PlannedRun run, IOutputFolder folder, ImmutableArray<SampleFailure> failures, SubstitutedRows substitutes, CancellationToken cancellationToken)
    {
        var stages = StagesOf(plan, run);
        var described = await DescribeAsync(run, stages, substitutes, cancellationToken);
        if (IsCurrent(run, folder, described) is { } current)
        {
            foreach (var (tensor, file) in run.Tensors.Zip(current.Tensors))
                _written[ShareKey(run, tensor)] = folder.LocalPath(file.File);
            return current;
        }
        folder.Prepare();
        // Without its manifest the folder counts as unfinished until the new one is written.
        folder.Delete(RunFolder.ManifestName);

        var failed = RowSet.Of([.. failures.Select(f => new RowRange(f.Sample, f.Sample + 1))]);
        var files = ImmutableArray.CreateBuilder<RunFile>();
        foreach (var tensor in run.Tensors)
            files.Add(await Task.Run(() => WriteTensorAsync(run, tensor, folder, failed, substitutes, cancellationToken), cancellationToken));
        if (run.Prompts is { } prompts)
            await PromptOutputs.WriteAsync(prompts, run.Rows, folder, options.Format);
        if (options.WithMetrics)
        {
            _metrics ??= new RunMetrics(store, _noise);
            var metrics = await Task.Run(() => _metrics.ComputeAsync(run, substitutes, cancellationToken), cancellationToken);
            WriteJson(folder, MetricsName, new JsonObject { ["_params"] = Parameters(run, folder), ["metrics"] = metrics });
        }
        var keys = stages.Select(s => s.Key).ToList();
        var written = Manifest(plan, run, described, files.ToImmutable(), stages, failures) with
        {
            Retried = substitutes.Retries(keys, run.Rows),
            Substitutes = substitutes.Substitutes(keys, run.Rows),
        };
        WriteJson(folder, RunFolder.ManifestName, JsonSerializer.SerializeToNode(written, RunJson.Options)!);
        return written;
    }

    public void Dispose() => _noise.Dispose();

    async Task<RunFile> WriteTensorAsync(
        PlannedRun run, RunTensor tensor, IOutputFolder folder, RowSet failed, SubstitutedRows substitutes, CancellationToken cancellationToken)
    {
        using var rows = await RunRows.OpenAsync(tensor, run, store, _noise, substitutes, cancellationToken);
        var lost = RowSet.Of(run.Rows).Subtract(rows.Rows).Subtract(failed);
        if (!lost.IsEmpty && tensor.Rows is StageRows { Key: var key })
            throw new StoreException($"rows {lost} of {tensor.Name} were computed, and the store has lost them since (stage {key}): run the same command again to compute them anew");
        ImmutableArray<long> rowShape = tensor.Shape is { } s ? [s.Channels, s.Height, s.Width] : [];
        var share = ShareKey(run, tensor);
        var name = tensor.Name + options.Format.Extension();
        var path = folder.LocalPath(name);
        if (path is not null && _written.TryGetValue(share, out var other) && File.Exists(other) && HardLink.TryCreate(other, path))
        {
            ImmutableArray<long> shape = tensor.Steps.IsEmpty ? [run.Rows.Count, .. rowShape] : [tensor.Steps.Length, run.Rows.Count, .. rowShape];
            return new(tensor.Name, name, rows.DtypeName, shape, new FileInfo(path).Length, tensor.Steps);
        }
        var file = new TensorAssembler(store).Write(
            folder, tensor, rows, run.Rows, rowShape, options.Format,
            path is null ? null : await LinkableAsync(run, tensor, cancellationToken), cancellationToken);
        _written[share] = path;
        return file;
    }

    /// <summary>The object that is exactly this tensor, when one part holds all of the run's rows and steps.</summary>
    async Task<ObjectEntry?> LinkableAsync(PlannedRun run, RunTensor tensor, CancellationToken cancellationToken)
    {
        // Objects are float32, and an autoencoder's have names of their own.
        if (tensor.Rows is not StageRows stage || tensor.Dtype != "float32" || tensor.DecodedFrom is not null)
            return null;
        var manifests = await store.ListAsync(stage.Key, cancellationToken);
        return manifests.Where(m => m.Rows == run.Rows).Select(m => m.Object(tensor.Kind))
            .FirstOrDefault(o => o is not null && o.Name == tensor.Name && o.Steps.SequenceEqual(tensor.Steps));
    }

    async Task<ImmutableArray<RunStage>> DescribeAsync(
        PlannedRun run, ImmutableArray<PlannedStage> stages, SubstitutedRows substitutes, CancellationToken cancellationToken)
    {
        var described = ImmutableArray.CreateBuilder<RunStage>();
        foreach (var stage in stages)
        {
            var manifests = (await store.ListAsync(stage.Key, cancellationToken)).Where(m => !m.Rows.Intersect(run.Rows).IsEmpty).ToList();
            foreach (var standIn in substitutes.Of(stage.Key))
                manifests.AddRange((await store.ListAsync(standIn.SubstituteKey, cancellationToken)).Where(m => !standIn.Rows.Intersect(m.Rows).Intersect(run.Rows).IsEmpty));
            described.Add(new(
                Kind(run, stage), stage.Key,
                StageKey.Fields(stage.Spec).ToImmutableSortedDictionary(f => f.Name, f => f.Value),
                Timesteps(stage.Spec),
                manifests.Sum(m => m.Evaluations),
                [.. manifests.Select(m => new RunPart(m.RowStart, m.RowEnd, $"{m.Epoch}-{m.Attempt:N}",
                    m.Objects.ToImmutableSortedDictionary(o => o.Name, o => o.Sha256)))]));
        }
        return described.ToImmutable();
    }

    static ImmutableArray<float> Timesteps(StageSpec spec)
    {
        if (!spec.HasSteps)
            return [];
        var schedule = ModelDefinitions.Schedule(ModelDefinitions.Of(spec.Model), spec);
        var direction = spec.Kind == StageKind.Invert ? Direction.Inversion : Direction.Sampling;
        return [.. Enumerable.Range(0, spec.NumInferenceSteps).Select(k => schedule.Step(direction, k).Timestep)];
    }

    /// <summary>The folder's manifest when everything in it is already as it should be.</summary>
    RunFolder? IsCurrent(PlannedRun run, IOutputFolder folder, ImmutableArray<RunStage> stages)
    {
        if (Readable(folder) is not { } existing
            || existing.RowStart != run.Rows.Start || existing.RowEnd != run.Rows.End
            || !existing.Tensors.Select(t => t.Name).SequenceEqual(run.Tensors.Select(t => t.Name))
            || !existing.Tensors.Zip(run.Tensors).All(p => p.First.Steps.SequenceEqual(p.Second.Steps))
            || options.WithMetrics != (folder.Length(MetricsName) is not null))
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
    static RunFolder? Readable(IOutputFolder folder)
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

    RunFolder Manifest(
        SweepPlan plan, PlannedRun run, ImmutableArray<RunStage> described, ImmutableArray<RunFile> files, ImmutableArray<PlannedStage> stages,
        ImmutableArray<SampleFailure> failures) => new()
        {
            Sweep = plan.Name,
            SweepId = plan.SweepId,
            Run = run.Slug,
            Axes = run.Axes.ToImmutableSortedDictionary(),
            Intervention = run.Intervention?.Slug,
            RowStart = run.Rows.Start,
            RowEnd = run.Rows.End,
            Model = new(run.Model.Family, run.Model.Path, run.Model.WeightsPath, run.Model.Digest, [run.Model.Channels, run.Model.Height, run.Model.Width]),
            Stages = described,
            Tensors = files,
            Images = run.Images == ImagePair.Decoded ? [run.Pictures("samples")?.Name ?? "samples", run.Pictures("samples2")?.Name ?? "samples2"] : ["samples", "samples2"],
            Device = options.Device,
            Versions = Versions(),
            Failures = [.. failures.Where(f => stages.Any(s => s.Key == f.StageKey)).Select(f => new RunFailure(f.StageKey, f.Sample, f.Step, f.Reason))],
            Notes = Notes(run),
            WallSeconds = options.WallSeconds,
            WrittenAt = time.GetUtcNow(),
        };

    JsonObject Parameters(PlannedRun run, IOutputFolder folder)
    {
        var parameters = new JsonObject();
        if (options.Parameters is { } given)
        {
            foreach (var (name, text) in given)
                parameters[name] = ParameterText.Read(text);
            // Upstream's LDM forward script counts what it was given.
            if (parameters.TryGetPropertyValue("n_samples", out var count) && count is null)
                parameters["n_samples"] = run.Rows.Count;
            return parameters;
        }
        foreach (var (name, text) in run.Axes)
            parameters[name] = ParameterText.Read(text);
        parameters["n_samples"] = run.Rows.Count;
        parameters["output_dir"] = folder.Place;
        if (run.Intervention is { Kind: InterventionKind.Forward } forward)
        {
            parameters["forward_before_t"] = forward.Before;
            parameters["forward_seed"] = forward.Seed;
        }
        else if (run.Intervention is { } swap)
        {
            parameters["swap_type"] = swap.Kind == InterventionKind.SwapEps ? "eps" : "xt";
            parameters["swap_before_t"] = swap.Before;
        }
        return parameters;
    }

    static ImmutableArray<string> Notes(PlannedRun run)
    {
        var upstream = run.Tensors.Any(t => t.Rows is NoiseRows { Layout: NoiseLayout.Upstream });
        return upstream && !(RuntimeInformation.ProcessArchitecture == Architecture.X64 && Avx2.IsSupported)
            ? ["This processor has no AVX2: upstream noise in float32 may differ by 2e-6 from the reference's."]
            : [];
    }

    static ImmutableSortedDictionary<string, string> Versions() => new Dictionary<string, string>
    {
        ["taba"] = typeof(RunFolderWriter).Assembly.GetName().Version?.ToString(3) ?? "unknown",
        ["torchsharp"] = typeof(TorchSharp.torch).Assembly.GetName().Version?.ToString(3) ?? "unknown",
        ["libtorch"] = TorchSharp.torch.__version__,
        ["dotnet"] = RuntimeInformation.FrameworkDescription,
        ["os"] = RuntimeInformation.OSDescription,
        ["numerics"] = StageKey.NumericsVersion.ToString(System.Globalization.CultureInfo.InvariantCulture),
    }.ToImmutableSortedDictionary();

    /// <summary>The stages that a run shows, parents first: those of its tensors, and those they depend on.</summary>
    internal static ImmutableArray<PlannedStage> StagesOf(SweepPlan plan, PlannedRun run)
    {
        var keys = run.Tensors.Select(t => t.Rows).OfType<StageRows>().Select(r => r.Key).ToHashSet();
        return [.. plan.Stages.Where(s => keys.Contains(s.Key))];
    }

    /// <summary>The name of a stage within a run. A run decodes twice: its samples and its reconstructions.</summary>
    static string Kind(PlannedRun run, PlannedStage stage)
    {
        var decoded = run.Tensors.FirstOrDefault(t => t.DecodedFrom is not null && t.Rows is StageRows rows && rows.Key == stage.Key)?.DecodedFrom;
        var kind = stage.Spec.Kind.ToString().ToLowerInvariant();
        return decoded is null ? kind : $"{kind} {decoded}";
    }

    static string ShareKey(PlannedRun run, RunTensor tensor) => $"{tensor.Name} {tensor.Rows} {tensor.Kind} {string.Join(',', tensor.Steps)} {run.Rows} {run.Model.Digest}";

    static void WriteJson(IOutputFolder folder, string file, JsonNode json) =>
        folder.Write(file, Encoding.UTF8.GetBytes(json.ToJsonString(RunJson.Options) + "\n"));
}

/// <summary>Options of run folders.</summary>
public sealed record RunFolderOptions
{
    public Diffusion.Tensors.TensorFormat Format { get; init; } = Diffusion.Tensors.TensorFormat.Safetensors;

    public bool WithMetrics { get; init; } = true;

    /// <summary>The content of <c>_params</c>; null derives it from the run.</summary>
    public IReadOnlyDictionary<string, string>? Parameters { get; init; }

    /// <summary>The kind of device, for the manifest.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Seconds that the sweep took so far, for the manifest.</summary>
    public double WallSeconds { get; init; }
}

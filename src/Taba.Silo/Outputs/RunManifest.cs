using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Silo.Outputs;

/// <summary>Makes the manifest of a run folder: what was asked for, what was used, and with which versions.</summary>
sealed class RunManifest(RunFolderOptions options, TimeProvider time)
{
    public RunFolder Of(
        SweepPlan plan, PlannedRun run, ImmutableArray<RunStage> described, ImmutableArray<RunFile> files,
        ImmutableArray<PlannedStage> stages, ImmutableArray<StageStatus> failed) => new()
        {
            Sweep = plan.Name,
            SweepId = plan.SweepId,
            Run = run.Slug,
            Axes = run.Axes.ToImmutableSortedDictionary(),
            Intervention = run.Intervention?.Slug,
            InterventionFields = RunIntervention.Of(run, stages),
            RowStart = run.Rows.Start,
            RowEnd = run.Rows.End,
            Model = new(
                run.Model.Family, run.Model.Path, run.Model.WeightsPath, run.Model.Digest,
                [run.Model.Channels, run.Model.Height, run.Model.Width]),
            Stages = described,
            Tensors = files,
            Images = run.Images == ImagePair.Decoded
                ? [run.Pictures("samples")?.Name ?? "samples", run.Pictures("samples2")?.Name ?? "samples2"]
                : ["samples", "samples2"],
            Analyses = options.WithMetrics ? RunMetrics.NamesOf(run) : [],
            Features = options.WithMetrics ? RunFolder.FeaturesOf(run) : null,
            Device = options.Device,
            Versions = Versions(),
            Failures = [.. Of(failed, stages).SelectMany(s => s.Failures).Select(
                f => new RunFailure(f.StageKey, f.Sample, f.Step, f.Reason))],
            Failed = [.. Of(failed, stages).SelectMany(s => s.Failed.SelectMany(
                f => f.Rows.Ranges.Select(r => new RunFailedRows(s.Key, f.Kind.ToString(), r.Start, r.End))))],
            Notes = Notes(run),
            WallSeconds = RunStage.SecondsOf(described),
            WrittenAt = time.GetUtcNow(),
        };

    static IEnumerable<StageStatus> Of(ImmutableArray<StageStatus> failed, ImmutableArray<PlannedStage> stages) =>
        failed.Where(f => stages.Any(s => s.Key == f.Key));

    static ImmutableArray<string> Notes(PlannedRun run)
    {
        var upstream = run.Tensors.Any(t => t.Rows is NoiseRows { Layout: NoiseLayout.Upstream });
        return upstream && !(RuntimeInformation.ProcessArchitecture == Architecture.X64 && Avx2.IsSupported)
            ? ["This processor has no AVX2: upstream noise in float32 may differ by 2e-6 from the reference's."]
            : [];
    }

    static ImmutableSortedDictionary<string, string> Versions() => new Dictionary<string, string>
    {
        ["taba"] = typeof(RunManifest).Assembly.GetName().Version?.ToString(3) ?? "unknown",
        ["torchsharp"] = typeof(TorchSharp.torch).Assembly.GetName().Version?.ToString(3) ?? "unknown",
        ["libtorch"] = TorchSharp.torch.__version__,
        ["dotnet"] = RuntimeInformation.FrameworkDescription,
        ["os"] = RuntimeInformation.OSDescription,
        ["numerics"] = StageKey.NumericsVersion.ToString(System.Globalization.CultureInfo.InvariantCulture),
    }.ToImmutableSortedDictionary();
}

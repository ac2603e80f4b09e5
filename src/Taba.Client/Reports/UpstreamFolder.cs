using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Taba.Client.Folders;
using Taba.Diffusion.Tensors;
using Taba.Silo.Outputs;
using Taba.Storage.RunFolders;

namespace Taba.Client.Reports;

/// <summary>
/// A folder that upstream's Python wrote: tensors and metrics.json, and no manifest. Its tensors are read by the restricted readers;
/// nothing in it is unpickled.
/// </summary>
static class UpstreamFolder
{
    static readonly string[] s_states = ["samples", "latents", "noise"];
    static readonly string[] s_shown =
        [.. s_states, "samples2", "decoded_samples", "decoded_samples2", "samples_decoded", "samples2_decoded"];

    /// <summary>Upstream's names of its models, which are names of folders above a run.</summary>
    static readonly string[] s_models =
        ["cifar_pixel_32", "imagenet_pixel_64", "imagenet_pixel_256", "celeba_ldm_256", "deepfloyd_if", "dit"];

    /// <summary>True when a folder of this machine holds states of a run.</summary>
    public static bool Is(OutputFolder folder) =>
        PathOf(folder) is { } path && s_states.Any(name => TensorFiles.Find(path, name) is not null);

    /// <summary>What the files of a folder tell. Metrics that metrics.json lacks are computed from the tensors, and not written.</summary>
    /// <exception cref="Taba.Diffusion.Weights.WeightsFormatException">A tensor file is damaged or hostile.</exception>
    public static ReportRun Read(OutputFolder folder, IReadOnlyDictionary<string, string> parameters, JsonObject? metrics)
    {
        var path = PathOf(folder)!;
        var files = s_shown.Select(name => FileOf(path, name)).OfType<RunFile>().ToImmutableArray();
        var state = files.First(f => s_states.Contains(f.Name));
        var axes = ImmutableSortedDictionary.CreateBuilder<string, string>();
        axes["model"] = ModelOf(path, parameters, state);
        foreach (var name in (string[])["num_inference_steps", "seed"])
        {
            if (parameters.TryGetValue(name, out var value) && value != "null")
                axes[name] = value;
        }
        if (double.TryParse(
            parameters.GetValueOrDefault("guidance_scale"), NumberStyles.Float, CultureInfo.InvariantCulture, out var scale) && scale > 1)
            axes["guidance_scale"] = scale.ToString("R", CultureInfo.InvariantCulture);
        var images = Pair(files);
        var manifest = new RunFolder
        {
            Sweep = Path.GetFileName(Path.GetDirectoryName(path) ?? ""),
            SweepId = "",
            Run = Path.GetFileName(path),
            Axes = axes.ToImmutable(),
            RowStart = 0,
            RowEnd = (int)Math.Min(int.MaxValue, state.Shape.Length > 0 ? state.Shape[0] : 0),
            Model = new("", "", null, "", [.. state.Shape.Skip(1).Select(length => (int)Math.Min(int.MaxValue, length))]),
            Stages = [],
            Tensors = files,
            Images = images,
            Device = "",
            Versions = ImmutableSortedDictionary<string, string>.Empty,
            WrittenAt = File.GetLastWriteTimeUtc(Path.Combine(path, state.File)),
        };
        var (numbers, intervals) = Completed(path, images, files, metrics);
        return new(folder, manifest, numbers, parameters) { Intervals = intervals };
    }

    /// <summary>Upstream writes no floor, and of some runs no metrics at all.</summary>
    static (Dictionary<string, double> Numbers, Dictionary<string, RunInterval> Intervals) Completed(
        string path, ImmutableArray<string> images, ImmutableArray<RunFile> files, JsonObject? metrics)
    {
        var numbers = ReportRun.Numbers(metrics);
        var lacksFloor = !numbers.ContainsKey("noise_correlation.mean") && files.Any(f => f.Name == "noise");
        if (files.All(f => f.Name != "latents") || (numbers.ContainsKey("correlation.mean") && !lacksFloor))
            return (numbers, []);
        var computed = FolderMetrics.Compute(path, images, CancellationToken.None);
        foreach (var (name, value) in ReportRun.Numbers(computed.Metrics))
            numbers.TryAdd(name, value);
        return (numbers, RunInterval.Of(computed.Intervals));
    }

    static ImmutableArray<string> Pair(ImmutableArray<RunFile> files)
    {
        ImmutableArray<string>[] pairs = [["decoded_samples", "decoded_samples2"], ["samples_decoded", "samples2_decoded"]];
        return pairs.FirstOrDefault(pair => pair.All(name => files.Any(f => f.Name == name)), ["samples", "samples2"]);
    }

    static RunFile? FileOf(string folder, string name)
    {
        if (TensorFiles.Find(folder, name) is not { } path)
            return null;
        using var file = TensorFile.Open(path);
        var tensor = file.Single(name);
        return new(name, Path.GetFileName(path), tensor.Dtype.ToString(), [.. tensor.Shape], new FileInfo(path).Length, []);
    }

    static string ModelOf(string path, IReadOnlyDictionary<string, string> parameters, RunFile state)
    {
        if (parameters.GetValueOrDefault("model_name") is { } name and not "null")
            return name;
        var above = path.Split(Path.DirectorySeparatorChar);
        return s_models.FirstOrDefault(above.Contains) ?? string.Join('×', state.Shape.Skip(1));
    }

    static string? PathOf(OutputFolder folder) => Path.GetDirectoryName(folder.LocalPath(RunFolder.ManifestName)) is { } path
        ? Path.GetFullPath(path)
        : null;
}

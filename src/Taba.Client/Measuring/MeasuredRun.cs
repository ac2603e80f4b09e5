using Taba.Client.Folders;
using Taba.Client.Reports;
using Taba.Diffusion.Conditions;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Analyses;
using Taba.Silo.Outputs;
using Taba.Storage.RunFolders;

namespace Taba.Client.Measuring;

/// <summary>The tensors of a run folder, ours or upstream's, as analyses read them: by what they are, in chunks of rows.</summary>
sealed class MeasuredRun : IRunTensors, IDisposable
{
    static readonly (TrajectoryRole Role, string Name)[] s_steps =
    [
        (TrajectoryRole.SamplingStates, "all_t_samples"), (TrajectoryRole.SamplingPredictions, "all_t_eps_samples"),
        (TrajectoryRole.InversionStates, "all_t_latents"), (TrajectoryRole.InversionPredictions, "all_t_eps_latents"),
    ];

    static readonly string[] s_promptFiles = ["prompts.json", "prompts.pkl"];

    readonly Dictionary<TensorRole, TensorFileRows> _tensors = [];
    readonly Dictionary<TrajectoryRole, TensorFileSteps> _steps = [];
    readonly Lazy<IReadOnlyList<string>?> _lazyPrompts;

    MeasuredRun(ReportRun run, string folder)
    {
        (Run, Folder) = (run, folder);
        _lazyPrompts = new(() => s_promptFiles.Select(name => Path.Combine(folder, name)).FirstOrDefault(File.Exists) is { } path
            ? There(PromptFile.Read(path)) : null);
    }

    public ReportRun Run { get; }

    /// <summary>The folder of this machine.</summary>
    public string Folder { get; }

    /// <summary>Names of the images before and after.</summary>
    public IReadOnlyList<string> Images => Run.Manifest.Images;

    /// <summary>Opens what is there.</summary>
    /// <exception cref="Taba.Diffusion.Weights.WeightsFormatException">A file is damaged or hostile.</exception>
    public static MeasuredRun Open(ReportRun run)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(run.Folder.LocalPath(RunFolder.ManifestName)
            ?? throw new NotSupportedException("Only folders of this machine are measured.")))!;
        var opened = new MeasuredRun(run, folder);
        try
        {
            foreach (var (role, name) in opened.Names())
            {
                if (TensorFileRows.Open(folder, name) is { } rows)
                    opened._tensors[role] = rows;
            }
            foreach (var (role, name) in s_steps)
            {
                if (TensorFileSteps.Open(folder, name) is { } steps)
                    opened._steps[role] = steps;
            }
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>The name of the file that has a role.</summary>
    public string NameOf(TensorRole role) => Names().First(n => n.Role == role).Name;

    /// <summary>Null when they were not kept.</summary>
    public IReadOnlyList<IMetricRows>? Steps(TrajectoryRole role) =>
        _steps.GetValueOrDefault(role) is { } steps ? [.. steps.Select(There)] : null;

    /// <summary>Null when there are none.</summary>
    /// <exception cref="InvalidDataException">Their file is damaged or hostile.</exception>
    public IReadOnlyList<string>? Prompts => _lazyPrompts.Value;

    /// <summary>Null when it is not there. Rows that failed in any tensor of the run are left out of all.</summary>
    public IMetricRows? Tensor(TensorRole role) => _tensors.TryGetValue(role, out var rows) ? There(rows) : null;

    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
            tensor.Dispose();
        foreach (var steps in _steps.Values)
            steps.Dispose();
    }

    /// <summary>Each row's own prompt, where rows are left out.</summary>
    IReadOnlyList<string> There(IReadOnlyList<string> prompts) =>
        Failed is { IsEmpty: false } failed ? [.. prompts.Where((_, row) => !failed.Contains(new RowRange(row, row + 1)))] : prompts;

    RowSet Failed => RowSet.Of(
        [.. Run.Manifest.Failed.Select(f => new RowRange(f.Start - Run.Manifest.RowStart, f.End - Run.Manifest.RowStart))]);

    IMetricRows There(IMetricRows rows)
    {
        var failed = Failed;
        return failed.IsEmpty ? rows : new RowsThatAreThere(rows, RowSet.Of(new RowRange(0, checked((int)rows.Rows))).Subtract(failed));
    }

    (TensorRole Role, string Name)[] Names() =>
    [
        (TensorRole.Noise, "noise"), (TensorRole.Latents, "latents"),
        (TensorRole.Samples, "samples"), (TensorRole.Reconstructions, "samples2"),
        (TensorRole.Images, Images[0]), (TensorRole.ReconstructedImages, Images[1]),
    ];
}

using Taba.Client.Folders;
using Taba.Client.Reports;
using Taba.Diffusion.Metrics;
using Taba.Silo.Outputs;
using Taba.Storage.RunFolders;

namespace Taba.Client.Measuring;

/// <summary>The tensors of a run folder, ours or upstream's, as analyses read them: by what they are, in chunks of rows.</summary>
sealed class MeasuredRun : IDisposable
{
    readonly Dictionary<Role, TensorFileRows> _tensors = [];

    MeasuredRun(ReportRun run, string folder) => (Run, Folder) = (run, folder);

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
            return opened;
        }
        catch
        {
            opened.Dispose();
            throw;
        }
    }

    /// <summary>The name of the file that has a role.</summary>
    public string NameOf(Role role) => Names().First(n => n.Role == role).Name;

    /// <summary>Null when it is not there.</summary>
    public TensorFileRows? Tensor(Role role) => _tensors.GetValueOrDefault(role);

    /// <summary>Chunks of several tensors side by side: the same rows of each.</summary>
    /// <exception cref="InvalidDataException">They have different numbers of rows, or rows of different shapes.</exception>
    public IEnumerable<ReadOnlyMemory<float>[]> Together(Role[] roles, CancellationToken cancellationToken)
    {
        var tensors = roles.Select(role => _tensors[role]).ToList();
        var first = tensors[0];
        for (var i = 1; i < tensors.Count; i++)
        {
            if (tensors[i].Rows != first.Rows || tensors[i].Shape != first.Shape)
            {
                throw new InvalidDataException(
                    $"{NameOf(roles[0])} is [{first.Rows}, {first.Shape}] and {NameOf(roles[i])} [{tensors[i].Rows}, "
                    + $"{tensors[i].Shape}]: they are not of the same samples");
            }
        }
        return Zip(tensors, cancellationToken);
    }

    /// <summary>The same rows of three tensors, whose rows may be of different shapes.</summary>
    /// <exception cref="InvalidDataException">They have different numbers of rows.</exception>
    public IEnumerable<(float[] First, float[] Second, float[] Third)> InStep(
        Role first, Role second, Role third, CancellationToken cancellationToken)
    {
        var tensors = new[] { first, second, third }.Select(role => _tensors[role]).ToList();
        var count = tensors[0].Rows;
        if (tensors.Any(tensor => tensor.Rows != count))
            throw new InvalidDataException(
                $"{NameOf(first)}, {NameOf(second)} and {NameOf(third)} have {string.Join(", ", tensors.Select(t => t.Rows))} rows: they "
                + "are not of the same samples");
        var atOnce = tensors.Min(tensor => IMetricRows.RowsAtOnce(tensor.Shape));
        for (long row = 0; row < count; row += atOnce)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var rows = tensors.Select(tensor =>
            {
                var values = new float[Math.Min(atOnce, count - row) * tensor.RowLength];
                tensor.Read(row, values);
                return values;
            }).ToList();
            yield return (rows[0], rows[1], rows[2]);
        }
    }

    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
            tensor.Dispose();
    }

    static IEnumerable<ReadOnlyMemory<float>[]> Zip(List<TensorFileRows> tensors, CancellationToken cancellationToken)
    {
        var chunks = tensors.Select(tensor => tensor.Chunks(cancellationToken).GetEnumerator()).ToList();
        try
        {
            while (chunks.All(chunk => chunk.MoveNext()))
                yield return [.. chunks.Select(chunk => chunk.Current)];
        }
        finally
        {
            foreach (var chunk in chunks)
                chunk.Dispose();
        }
    }

    (Role Role, string Name)[] Names() =>
    [
        (Role.Noise, "noise"), (Role.Latents, "latents"), (Role.Samples, "samples"), (Role.Reconstructions, "samples2"),
        (Role.Images, Images[0]), (Role.ReconstructedImages, Images[1]),
    ];
}

/// <summary>What a tensor is in a run.</summary>
enum Role
{
    /// <summary>x_T, from which samples were made.</summary>
    Noise,

    /// <summary>x̂_T, to which samples were inverted.</summary>
    Latents,

    /// <summary>x_0 as the sampler left it: of a latent model no picture.</summary>
    Samples,

    /// <summary>x̂_0, sampled from the latents.</summary>
    Reconstructions,

    /// <summary>Samples as pictures.</summary>
    Images,

    /// <summary>Reconstructions as pictures.</summary>
    ReconstructedImages,
}

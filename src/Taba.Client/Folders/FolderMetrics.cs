using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Tensors;

namespace Taba.Client.Folders;

/// <summary>The paper's metrics over the tensor files of a folder, with upstream's keys; ours or upstream's files.</summary>
static class FolderMetrics
{
    /// <param name="folder">The run's folder.</param>
    /// <param name="images">Names of the images before and after; upstream's pixel families have samples and samples2.</param>
    /// <param name="cancellationToken">Stops between chunks.</param>
    public static JsonObject Compute(string folder, IReadOnlyList<string> images, CancellationToken cancellationToken)
    {
        using var noise = FileRows.Open(folder, "noise");
        using var latents = FileRows.Open(folder, "latents");
        using var samples = FileRows.Open(folder, images[0]);
        using var reconstructions = FileRows.Open(folder, images[1]);
        return new ExperimentMetrics().Compute(noise, latents, samples, reconstructions, cancellationToken);
    }

    /// <summary>A [N,C,H,W] tensor file that is read in chunks of rows.</summary>
    sealed class FileRows(string path, TensorFile file, TensorReader reader) : IMetricRows, IDisposable
    {
        public string Identity => path;

        public StateShape Shape { get; } = new((int)reader.Shape[1], (int)reader.Shape[2], (int)reader.Shape[3]);

        public static FileRows? Open(string folder, string name)
        {
            if (TensorFiles.Find(folder, name) is not { } path)
                return null;
            var file = TensorFile.Open(path);
            var reader = file.Single(name);
            if (reader.Shape.Count == 4)
                return new(path, file, reader);
            file.Dispose();
            return null;
        }

        public IEnumerable<ReadOnlyMemory<float>> Chunks(CancellationToken cancellationToken)
        {
            var rows = IMetricRows.RowsAtOnce(Shape);
            for (long row = 0; row < reader.Rows; row += rows)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return FloatReader.Rows(reader, row, (int)Math.Min(rows, reader.Rows - row));
            }
        }

        public void Dispose() => file.Dispose();
    }
}

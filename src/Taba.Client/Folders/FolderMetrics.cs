using Taba.Diffusion.Metrics.Experiments;

namespace Taba.Client.Folders;

/// <summary>The paper's metrics over the tensor files of a folder, with upstream's keys; ours or upstream's files.</summary>
static class FolderMetrics
{
    /// <param name="folder">The run's folder.</param>
    /// <param name="images">Names of the images before and after; upstream's pixel families have samples and samples2.</param>
    /// <param name="cancellationToken">Stops between chunks.</param>
    public static ExperimentNumbers Compute(string folder, IReadOnlyList<string> images, CancellationToken cancellationToken)
    {
        using var noise = TensorFileRows.Open(folder, "noise");
        using var latents = TensorFileRows.Open(folder, "latents");
        using var samples = TensorFileRows.Open(folder, images[0]);
        using var reconstructions = TensorFileRows.Open(folder, images[1]);
        return new ExperimentMetrics().Compute(noise, latents, samples, reconstructions, cancellationToken);
    }
}

using System.Text.Json.Nodes;
using Taba.Client.Reports;
using Taba.Diffusion;
using Taba.Diffusion.Metrics;
using Taba.Diffusion.Tensors;

namespace Taba.Client.Folders;

/// <summary>The paper's metrics over the tensor files of a folder, with upstream's keys; ours or upstream's files.</summary>
static class FolderMetrics
{
    const long ChunkBytes = 4 << 20;

    public static JsonObject Compute(string folder, CancellationToken cancellationToken)
    {
        var metrics = new JsonObject();
        using var noise = Tensor.Open(folder, "noise");
        using var latents = Tensor.Open(folder, "latents");
        using var samples = Tensor.Open(folder, "samples");
        using var reconstructions = Tensor.Open(folder, "samples2");
        if (latents is not null)
        {
            var (latentMoments, latentCorrelation) = Statistics(latents, cancellationToken);
            (Moments Moments, CorrelationSummary Correlation)? ofNoise = noise is null ? null : Statistics(noise, cancellationToken);
            if (ofNoise is { } n)
            {
                metrics["kl_div_noise_latent"] = Number(KlDivergence.Between(n.Moments, latentMoments));
                metrics["reconstruction_error_noise"] = Number(Error(noise!, latents, cancellationToken));
            }
            metrics["correlation"] = Pair(latentCorrelation.Mean, latentCorrelation.Std);
            metrics["latent_stats"] = Pair(latentMoments.Mean, latentMoments.Std);
            if (ofNoise is { } m)
            {
                metrics["noise_stats"] = Pair(m.Moments.Mean, m.Moments.Std);
                metrics["noise_correlation"] = Pair(m.Correlation.Mean, m.Correlation.Std);
            }
        }
        if (samples is not null && reconstructions is not null)
            metrics["reconstruction_error_images"] = Number(Error(samples, reconstructions, cancellationToken));
        return metrics;
    }

    static (Moments, CorrelationSummary) Statistics(Tensor tensor, CancellationToken cancellationToken)
    {
        var moments = new MomentsAccumulator();
        using var correlation = new PatchCorrelation(tensor.State);
        while (correlation.Pass < correlation.PassCount)
        {
            var first = correlation.Pass == 0;
            foreach (var values in tensor.Chunks(cancellationToken))
            {
                if (first)
                    moments.Add(values);
                correlation.Add(values);
            }
            correlation.EndPass();
        }
        return (moments.Value, correlation.Compute());
    }

    static double Error(Tensor a, Tensor b, CancellationToken cancellationToken)
    {
        var error = new MeanAbsoluteError();
        foreach (var (x, y) in a.Chunks(cancellationToken).Zip(b.Chunks(cancellationToken)))
            error.Add(x, y);
        return error.Value;
    }

    static JsonObject Pair(double mean, double std) => new() { ["mean"] = Number(mean), ["std"] = Number(std) };

    static JsonValue Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : JsonValue.Create("NaN");

    /// <summary>A [N,C,H,W] tensor that is read in chunks of rows.</summary>
    sealed class Tensor(TensorFile file, TensorReader reader) : IDisposable
    {
        public StateShape State { get; } = new((int)reader.Shape[1], (int)reader.Shape[2], (int)reader.Shape[3]);

        public static Tensor? Open(string folder, string name)
        {
            if (TensorFiles.Find(folder, name) is not { } path)
                return null;
            var file = TensorFile.Open(path);
            var reader = file.Single(name);
            if (reader.Shape.Count == 4)
                return new(file, reader);
            file.Dispose();
            return null;
        }

        public IEnumerable<float[]> Chunks(CancellationToken cancellationToken)
        {
            var rows = (int)Math.Clamp(ChunkBytes / (State.Elements * sizeof(float)), 1, 4096);
            for (long row = 0; row < reader.Rows; row += rows)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return FloatReader.Rows(reader, row, (int)Math.Min(rows, reader.Rows - row));
            }
        }

        public void Dispose() => file.Dispose();
    }
}

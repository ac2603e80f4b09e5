using System.Runtime.InteropServices;
using Taba.Diffusion.Randomness;

namespace Taba.Diffusion.Metrics;

/// <summary>The correlation metric of white noise: the value that a latent without any structure would have at the same N.</summary>
public static class NoiseFloor
{
    const int RowsAtOnce = 256;

    /// <summary>White noise of a shape: what latents are held against where nobody knows the noise that they stand for.</summary>
    /// <param name="shape">C,H,W of a row.</param>
    /// <param name="rows">N.</param>
    public static IMetricRows White(StateShape shape, long rows) => new WhiteNoise(shape, rows);

    /// <summary>Measures the noise of an address, drawn in float32, in a stream.</summary>
    /// <param name="address">Which noise; its number of rows, if given, is replaced by <paramref name="rows"/>.</param>
    /// <param name="rows">N, 1 or more.</param>
    /// <param name="patchSize">As the measurement that it is compared with.</param>
    /// <param name="topK">As the measurement that it is compared with.</param>
    /// <param name="cancellation">Ends the work between two batches of rows.</param>
    public static CorrelationSummary Correlation(
        NoiseAddress address,
        long rows,
        int patchSize = PatchCorrelation.DefaultPatchSize,
        int topK = PatchCorrelation.DefaultTopK,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(address);
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        using var noise = (address with { Dtype = Dtype.Float32, TotalRows = rows }).Open();
        using var correlation = new PatchCorrelation(address.Shape, patchSize, topK);

        var rowsAtOnce = (int)Math.Min(rows, Math.Max(1, Math.Min(RowsAtOnce, Array.MaxLength / noise.RowBytes)));
        var buffer = new byte[rowsAtOnce * noise.RowBytes];
        while (correlation.Pass < correlation.PassCount)
        {
            for (long start = 0; start < rows; start += rowsAtOnce)
            {
                cancellation.ThrowIfCancellationRequested();
                var count = (int)Math.Min(rowsAtOnce, rows - start);
                var part = buffer.AsSpan(0, count * noise.RowBytes);
                noise.Rows(start, count, part);
                correlation.Add(MemoryMarshal.Cast<byte, float>(part));
            }

            correlation.EndPass();
        }

        return correlation.Compute();
    }

    /// <summary>The same numbers wherever it is read: whoever measures a part of the run measures that part of this noise.</summary>
    sealed class WhiteNoise(StateShape shape, long rows) : IMetricRows
    {
        public string Identity => $"white noise {rows} {shape}";

        public StateShape Shape => shape;

        public long Rows => rows;

        public int RowLength => checked((int)shape.Elements);

        public void Read(long first, Span<float> destination)
        {
            using var noise = new PerSampleNoise(new(NoiseLayout.PerSample, Seed: 0, Dtype.Float32, NoiseStream.Initial, shape, rows));
            noise.Rows(first, destination.Length / RowLength, MemoryMarshal.AsBytes(destination));
        }
    }
}

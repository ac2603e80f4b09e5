using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.Geometry;

/// <summary>
/// The triangle of whole degrees whose three corners are, taken together, the most frequent ones over samples: histograms of the angles
/// at noise, sample and latent, and the corners that sum to 180° with the largest product of their shares (upstream's
/// taba/exp_pipelines/most_probable_triangle.py; the paper's appendix on the most probable triangle). Not thread-safe.
/// </summary>
/// <param name="shape">C,H,W of a row.</param>
/// <exception cref="ArgumentException">A row has no value.</exception>
public sealed class MostProbableTriangle(StateShape shape) : IPartialSums<MostProbableTriangle>
{
    /// <summary>Bins of one degree: [1,2), [2,3), ..., [178,179], the last one closed. Angles outside are in none.</summary>
    public const int Bins = 178;

    const string Name = "taba.most-probable-triangle.1";

    readonly int _rowLength = RowCheck.Length(shape);

    long[] _latent = new long[Bins];
    long[] _sample = new long[Bins];
    long[] _noise = new long[Bins];

    /// <summary>Samples of each bin, by the angle at the latent.</summary>
    public IReadOnlyList<long> AtLatent => _latent;

    /// <summary>By the angle at the sample.</summary>
    public IReadOnlyList<long> AtSample => _sample;

    /// <summary>By the angle at the noise.</summary>
    public IReadOnlyList<long> AtNoise => _noise;

    /// <summary>The triangle of the rows so far; null where no triangle has a sample at each of its corners.</summary>
    public Triangle? Compute() => Find(Shares(_latent), Shares(_sample), Shares(_noise));

    /// <summary>
    /// The three angles with sum 180 that maximise the product of their shares; the first of several in order of the latent's, then
    /// the sample's angle. Null where every product is 0.
    /// </summary>
    /// <param name="latent">Shares of the <see cref="Bins"/> bins.</param>
    /// <param name="sample">As above.</param>
    /// <param name="noise">As above.</param>
    /// <exception cref="ArgumentException">A histogram has another number of bins.</exception>
    public static Triangle? Find(ReadOnlySpan<double> latent, ReadOnlySpan<double> sample, ReadOnlySpan<double> noise)
    {
        if (latent.Length != Bins || sample.Length != Bins || noise.Length != Bins)
        {
            throw new ArgumentException(
                $"A histogram of angles has {Bins} bins; these have {latent.Length}, {sample.Length}, {noise.Length}.");
        }

        Triangle? best = null;
        var largest = 0.0;
        for (var a = 1; a <= Bins; a++)
        {
            // The third angle is given by the first two, and its bin by its degrees.
            for (var b = 1; a + b <= Bins + 1 && latent[a - 1] > 0; b++)
            {
                var product = latent[a - 1] * sample[b - 1] * noise[180 - a - b - 1];
                if (product > largest)
                    (best, largest) = (new Triangle(a, b, 180 - a - b, product), product);
            }
        }

        return best;
    }

    /// <summary>Takes in whole rows, [n,C,H,W] of each tensor.</summary>
    /// <exception cref="ArgumentException">Not whole rows, or not as many of each.</exception>
    public void Add(ReadOnlySpan<float> noise, ReadOnlySpan<float> samples, ReadOnlySpan<float> latents)
    {
        RowCheck.Count(_rowLength, noise, samples, latents);
        for (var at = 0; at < noise.Length; at += _rowLength)
        {
            var (atSample, atNoise, atLatent) = Angles(
                noise.Slice(at, _rowLength), samples.Slice(at, _rowLength), latents.Slice(at, _rowLength));
            Count(_sample, atSample);
            Count(_noise, atNoise);
            Count(_latent, atLatent);
        }
    }

    /// <inheritdoc/>
    public void Merge(MostProbableTriangle later)
    {
        ArgumentNullException.ThrowIfNull(later);
        RowCheck.SameSettings(Shape, later.Shape);
        for (var i = 0; i < Bins; i++)
        {
            _latent[i] += later._latent[i];
            _sample[i] += later._sample[i];
            _noise[i] += later._noise[i];
        }
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        AnalysisFormat.Begin(writer, Name, shape);
        writer.WriteAll(_latent);
        writer.WriteAll(_sample);
        writer.WriteAll(_noise);
    }

    /// <inheritdoc/>
    public static MostProbableTriangle Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return AnalysisFormat.Read(reader, Name, (input, shape) => new MostProbableTriangle(shape)
        {
            _latent = AnalysisFormat.ReadLongs(input, Bins),
            _sample = AnalysisFormat.ReadLongs(input, Bins),
            _noise = AnalysisFormat.ReadLongs(input, Bins),
        });
    }

    StateShape Shape => shape;

    /// <summary>The corners of one triangle in degrees; NaN where a side has no length.</summary>
    internal static (double AtSample, double AtNoise, double AtLatent) Angles(
        ReadOnlySpan<float> noise, ReadOnlySpan<float> sample, ReadOnlySpan<float> latent)
    {
        var row = Products.Of(sample, noise, latent);
        return (Angle(row.UV, row.UU, row.VV), Angle(row.UW, row.UU, row.WW), Angle(row.VW, row.VV, row.WW));
    }

    static double Angle(double product, double first, double second) =>
        double.RadiansToDegrees(Math.Acos(Math.Clamp(product / Math.Sqrt(first) / Math.Sqrt(second), -1, 1)));

    static void Count(long[] histogram, double degrees)
    {
        if (degrees is >= 1 and <= Bins + 1)
            histogram[Math.Min((int)degrees - 1, Bins - 1)]++;
    }

    static double[] Shares(long[] histogram)
    {
        var total = (double)histogram.Sum();
        return [.. histogram.Select(count => total == 0 ? 0 : count / total)];
    }
}

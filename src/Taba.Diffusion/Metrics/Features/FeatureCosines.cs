using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.Features;

/// <summary>
/// How alike pairs of features are, by their cosine: of DINO's, of CLIP's pictures (CLIP-I), of pictures and captions (CLIPScore, Hessel et
/// al. 2021), of DreamSim's as a distance. Features are made of length 1 as torch's <c>normalize</c> makes them (a zero stays one). Not
/// thread-safe.
/// </summary>
public sealed class FeatureCosines : IPartialSums<FeatureCosines>
{
    /// <summary>CLIPScore's w.</summary>
    public const double ClipWeight = 2.5;

    const int FormatVersion = 1;
    const double LeastLength = 1e-12;

    RunningMoments _cosines;
    RunningMoments _aboveZero;

    /// <summary>Pairs seen.</summary>
    public long Count => _cosines.Count;

    /// <summary>Mean and unbiased deviation of the cosines, -1 to 1; NaN without pairs.</summary>
    public MeanStd Cosine => _cosines.Unbiased;

    /// <summary>Mean and unbiased deviation of 1 - cosine, 0 to 2: DreamSim's distance.</summary>
    public MeanStd Distance => new(1 - _cosines.Mean, _cosines.Std);

    /// <summary>2.5 · max(cosine, 0), 0 to 2.5: mean and population deviation, as upstream has them.</summary>
    public MeanStd ClipScore => new(ClipWeight * _aboveZero.Mean, ClipWeight * _aboveZero.PopulationStd);

    /// <summary>Takes in whole features.</summary>
    /// <param name="first">[n,D].</param>
    /// <param name="second">[n,D].</param>
    /// <param name="dimensions">D, 1 or more.</param>
    /// <exception cref="ArgumentException">Not whole features, or not as many of each.</exception>
    public void Add(ReadOnlySpan<float> first, ReadOnlySpan<float> second, int dimensions)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimensions, 1);
        RowCheck.Count(dimensions, first, second);
        for (var at = 0; at < first.Length; at += dimensions)
        {
            var (product, squaresA, squaresB) = (0.0, 0.0, 0.0);
            for (var i = at; i < at + dimensions; i++)
            {
                var (a, b) = ((double)first[i], (double)second[i]);
                product += a * b;
                squaresA += a * a;
                squaresB += b * b;
            }

            var cosine = product / (Math.Max(Math.Sqrt(squaresA), LeastLength) * Math.Max(Math.Sqrt(squaresB), LeastLength));
            _cosines.Add(cosine);
            _aboveZero.Add(Math.Max(cosine, 0));
        }
    }

    /// <inheritdoc/>
    public void Merge(FeatureCosines later)
    {
        ArgumentNullException.ThrowIfNull(later);
        _cosines.Merge(later._cosines);
        _aboveZero.Merge(later._aboveZero);
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(FormatVersion);
        _cosines.Write(writer);
        _aboveZero.Write(writer);
    }

    /// <inheritdoc/>
    public static FeatureCosines Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return PartialSumsFormat.Read("the cosines of features", FormatVersion, reader, () => new FeatureCosines
        {
            _cosines = RunningMoments.Read(reader),
            _aboveZero = RunningMoments.Read(reader),
        });
    }
}

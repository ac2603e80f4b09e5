using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.Features;

/// <summary>
/// How alike pairs of features are, by their cosine: of DINO's, of CLIP's pictures (CLIP-I), of pictures and captions (CLIPScore, Hessel et
/// al. 2021), of DreamSim's as a distance. Features are made of length 1 as torch's <c>normalize</c> makes them (a zero stays one). Not
/// thread-safe.
/// </summary>
/// <param name="dimensions">Values of a feature, 1 or more.</param>
public sealed class FeatureCosines(int dimensions) : IPartialSums<FeatureCosines>
{
    /// <summary>CLIPScore's w.</summary>
    public const double ClipWeight = 2.5;

    const string Name = "taba.feature-cosines.1";
    const double LeastLength = 1e-12;

    readonly int _rowLength = dimensions > 0
        ? dimensions : throw new ArgumentOutOfRangeException(nameof(dimensions), dimensions, "A feature has a value at least.");

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

    /// <summary>Takes in whole features, [n,D] of each side.</summary>
    /// <exception cref="ArgumentException">Not whole features, or not as many of each.</exception>
    public void Add(ReadOnlySpan<float> first, ReadOnlySpan<float> second)
    {
        RowCheck.Count(_rowLength, first, second);
        for (var at = 0; at < first.Length; at += _rowLength)
        {
            var (product, squaresA, squaresB) = (0.0, 0.0, 0.0);
            for (var i = at; i < at + _rowLength; i++)
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
        RowCheck.SameSettings(_rowLength, later._rowLength);
        _cosines.Merge(later._cosines);
        _aboveZero.Merge(later._aboveZero);
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        AnalysisFormat.Begin(writer, Name, new StateShape(_rowLength, 1, 1));
        _cosines.Write(writer);
        _aboveZero.Write(writer);
    }

    /// <inheritdoc/>
    public static FeatureCosines Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return AnalysisFormat.Read(reader, Name, (input, shape) => new FeatureCosines(shape.Channels)
        {
            _cosines = RunningMoments.Read(input),
            _aboveZero = RunningMoments.Read(input),
        });
    }
}

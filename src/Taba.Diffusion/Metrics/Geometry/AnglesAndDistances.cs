using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.Geometry;

/// <summary>
/// The triangle of noise x_T, sample x_0 and inverted latent x̂_T: its mean corners and sides over samples, and how far
/// reconstructions are from samples (upstream's <c>calc_angles</c>, <c>calc_distances</c> and <c>reconstruction_error</c>,
/// taba/metrics/angles_distances.py). Not thread-safe.
/// </summary>
/// <param name="shape">C,H,W of a row.</param>
/// <param name="withReconstructions">Reconstructions are added too.</param>
/// <exception cref="ArgumentException">A row has no value.</exception>
public sealed class AnglesAndDistances(StateShape shape, bool withReconstructions = false) : IPartialSums<AnglesAndDistances>
{
    const string Name = "taba.angles-and-distances.1";

    // As torch's normalize: a side of length 0 has the cosine 0.
    const double LeastNorm = 1e-12;

    readonly int _rowLength = RowCheck.Length(shape);

    RunningMoments _cosineAtSample;
    RunningMoments _cosineAtNoise;
    RunningMoments _cosineAtLatent;
    RunningMoments _sampleToLatent;
    RunningMoments _sampleToNoise;
    RunningMoments _noiseToLatent;
    double _squaredError;
    double _absoluteError;

    /// <summary>The numbers of the rows so far; NaN where there are too few.</summary>
    public AnglesAndDistancesSummary Value
    {
        get
        {
            var values = withReconstructions ? _cosineAtSample.Count * (double)_rowLength : double.NaN;
            return new(
                _cosineAtSample.Value,
                _cosineAtNoise.Value,
                _cosineAtLatent.Value,
                _sampleToLatent.Value,
                _sampleToNoise.Value,
                _noiseToLatent.Value,
                _squaredError / values,
                _absoluteError / values);
        }
    }

    /// <summary>Takes in whole rows, [n,C,H,W] of each tensor.</summary>
    /// <exception cref="ArgumentException">Not whole rows, not as many of each, or reconstructions are missing.</exception>
    public void Add(ReadOnlySpan<float> noise, ReadOnlySpan<float> samples, ReadOnlySpan<float> latents)
    {
        if (withReconstructions)
            throw new ArgumentException("This analysis was made for reconstructions too; add them with each part.");
        AddTriangles(noise, samples, latents);
    }

    /// <summary>Takes in whole rows of all four tensors.</summary>
    /// <exception cref="ArgumentException">Not whole rows, not as many of each, or made without reconstructions.</exception>
    public void Add(
        ReadOnlySpan<float> noise, ReadOnlySpan<float> samples, ReadOnlySpan<float> latents, ReadOnlySpan<float> reconstructions)
    {
        if (!withReconstructions)
            throw new ArgumentException("This analysis was made without reconstructions.");
        RowCheck.Count(_rowLength, samples, reconstructions);
        AddTriangles(noise, samples, latents);
        for (var at = 0; at < samples.Length; at += _rowLength)
        {
            var (squares, absolute) = Products.OfDifference(samples.Slice(at, _rowLength), reconstructions.Slice(at, _rowLength));
            _squaredError += squares;
            _absoluteError += absolute;
        }
    }

    /// <inheritdoc/>
    public void Merge(AnglesAndDistances later)
    {
        ArgumentNullException.ThrowIfNull(later);
        RowCheck.SameSettings(Settings, later.Settings);
        _cosineAtSample.Merge(later._cosineAtSample);
        _cosineAtNoise.Merge(later._cosineAtNoise);
        _cosineAtLatent.Merge(later._cosineAtLatent);
        _sampleToLatent.Merge(later._sampleToLatent);
        _sampleToNoise.Merge(later._sampleToNoise);
        _noiseToLatent.Merge(later._noiseToLatent);
        _squaredError += later._squaredError;
        _absoluteError += later._absoluteError;
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        AnalysisFormat.Begin(writer, Name, shape);
        writer.Write(withReconstructions);
        _cosineAtSample.Write(writer);
        _cosineAtNoise.Write(writer);
        _cosineAtLatent.Write(writer);
        _sampleToLatent.Write(writer);
        _sampleToNoise.Write(writer);
        _noiseToLatent.Write(writer);
        writer.Write(_squaredError);
        writer.Write(_absoluteError);
    }

    /// <inheritdoc/>
    public static AnglesAndDistances Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return AnalysisFormat.Read(reader, Name, (input, shape) => new AnglesAndDistances(shape, input.ReadBoolean())
        {
            _cosineAtSample = RunningMoments.Read(input),
            _cosineAtNoise = RunningMoments.Read(input),
            _cosineAtLatent = RunningMoments.Read(input),
            _sampleToLatent = RunningMoments.Read(input),
            _sampleToNoise = RunningMoments.Read(input),
            _noiseToLatent = RunningMoments.Read(input),
            _squaredError = input.ReadDouble(),
            _absoluteError = input.ReadDouble(),
        });
    }

    (StateShape Shape, bool WithReconstructions) Settings => (shape, withReconstructions);

    void AddTriangles(ReadOnlySpan<float> noise, ReadOnlySpan<float> samples, ReadOnlySpan<float> latents)
    {
        RowCheck.Count(_rowLength, noise, samples, latents);
        for (var at = 0; at < noise.Length; at += _rowLength)
        {
            var row = Products.Of(samples.Slice(at, _rowLength), noise.Slice(at, _rowLength), latents.Slice(at, _rowLength));
            var (toNoise, toLatent, between) = (Math.Sqrt(row.UU), Math.Sqrt(row.VV), Math.Sqrt(row.WW));
            _sampleToNoise.Add(toNoise);
            _sampleToLatent.Add(toLatent);
            _noiseToLatent.Add(between);
            _cosineAtSample.Add(Cosine(row.UV, toNoise, toLatent));
            _cosineAtNoise.Add(Cosine(row.UW, toNoise, between));
            _cosineAtLatent.Add(Cosine(row.VW, toLatent, between));
        }
    }

    static double Cosine(double product, double first, double second) =>
        product / (Math.Max(first, LeastNorm) * Math.Max(second, LeastNorm));
}

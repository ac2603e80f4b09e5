using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.Normality;

/// <summary>
/// A Q-Q plot of noise against latents, from all their values in one pass: quantiles at evenly spaced shares, and the line that latents
/// would follow if they had the noise's shape (upstream's <c>plt_qq</c>, taba/metrics/normality.py). Counts by leading bits of the values
/// are kept, 8 MiB a tensor: each quantile is right to 1/2048 of itself. Not thread-safe.
/// </summary>
/// <param name="shape">C,H,W of a row.</param>
/// <param name="points">Quantiles, 1 or more; those of the shares (i + ½)/points.</param>
/// <exception cref="ArgumentException">A row has no value, or there is no point.</exception>
public sealed class QuantilePlot(StateShape shape, int points = QuantilePlot.DefaultPoints) : IPartialSums<QuantilePlot>
{
    /// <summary>Enough for a smooth curve with both tails.</summary>
    public const int DefaultPoints = 512;

    const string Name = "taba.quantile-plot.1";
    const int MostPoints = 1 << 20;

    readonly int _rowLength = RowCheck.Length(shape);
    readonly int _points = points is > 0 and <= MostPoints
        ? points : throw new ArgumentOutOfRangeException(nameof(points), points, $"A plot has 1 to {MostPoints} points.");

    ValueCounts _noise = new();
    ValueCounts _latents = new();
    RunningMoments _ofNoise;
    RunningMoments _ofLatents;

    /// <summary>Takes in whole rows, [n,C,H,W] of each tensor.</summary>
    /// <exception cref="ArgumentException">Not whole rows, or not as many of each.</exception>
    public void Add(ReadOnlySpan<float> noise, ReadOnlySpan<float> latents)
    {
        RowCheck.Count(_rowLength, noise, latents);
        _noise.Add(noise);
        _latents.Add(latents);

        // Row by row, so that the sums do not depend on how many come at once.
        for (var at = 0; at < noise.Length; at += _rowLength)
        {
            _ofNoise.Add(noise.Slice(at, _rowLength));
            _ofLatents.Add(latents.Slice(at, _rowLength));
        }
    }

    /// <summary>The plot of the rows so far; NaN without rows.</summary>
    public QuantilePlotSummary Compute()
    {
        var shares = new double[_points];
        for (var i = 0; i < shares.Length; i++)
            shares[i] = (i + 0.5) / shares.Length;
        return new(shares, _noise.Quantiles(shares), _latents.Quantiles(shares), _ofNoise.Value, _ofLatents.Value);
    }

    /// <inheritdoc/>
    public void Merge(QuantilePlot later)
    {
        ArgumentNullException.ThrowIfNull(later);
        RowCheck.SameSettings(Settings, later.Settings);
        _noise.Merge(later._noise);
        _latents.Merge(later._latents);
        _ofNoise.Merge(later._ofNoise);
        _ofLatents.Merge(later._ofLatents);
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        AnalysisFormat.Begin(writer, Name, shape);
        writer.Write(_points);
        _noise.Write(writer);
        _latents.Write(writer);
        _ofNoise.Write(writer);
        _ofLatents.Write(writer);
    }

    /// <inheritdoc/>
    public static QuantilePlot Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return AnalysisFormat.Read(reader, Name, (input, shape) => new QuantilePlot(shape, input.ReadInt32())
        {
            _noise = ValueCounts.Read(input),
            _latents = ValueCounts.Read(input),
            _ofNoise = RunningMoments.Read(input),
            _ofLatents = RunningMoments.Read(input),
        });
    }

    (StateShape Shape, int Points) Settings => (shape, _points);
}

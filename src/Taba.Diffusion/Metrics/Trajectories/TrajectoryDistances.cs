using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.Trajectories;

/// <summary>
/// Where a trajectory runs between noise and latent: at each step, the mean L2 distance of its states to points of the straight line from
/// noise to latent (upstream's <c>get_interpolations_distances</c>), and how many states are closer to one end than to the other
/// (<c>build_norm_df_closer</c>, both taba/exp_pipelines/interpolate_with_steps.py). Not thread-safe.
/// </summary>
/// <remarks>
/// One pass over three rows gives the distances to all points of a line: for p = (1-α)·noise + α·latent, |x-p|² = (1-α)·|x-noise|² +
/// α·|x-latent|² - α(1-α)·|latent-noise|² (Stewart's theorem). Reckoned so, a distance is right to about 1e-8 of the longest of the three.
/// </remarks>
/// <param name="shape">C,H,W of a state.</param>
/// <param name="steps">States of a trajectory that are told apart, 1 or more.</param>
/// <param name="points">Points of the line, evenly spaced from noise (α = 0) to latent (α = 1), 2 or more.</param>
/// <exception cref="ArgumentException">A row has no value, or a number is out of its range.</exception>
public sealed class TrajectoryDistances(StateShape shape, int steps, int points = TrajectoryDistances.DefaultPoints)
    : IPartialSums<TrajectoryDistances>
{
    /// <summary>Upstream's.</summary>
    public const int DefaultPoints = 25;

    const string Name = "taba.trajectory-distances.1";
    const int MostPoints = 1 << 16;

    readonly int _rowLength = RowCheck.Length(shape);
    readonly int _points = points is > 1 and <= MostPoints
        ? points : throw new ArgumentOutOfRangeException(nameof(points), points, $"A line has 2 to {MostPoints} points.");

    long[] _rows = new long[steps > 0 ? steps : throw new ArgumentOutOfRangeException(nameof(steps), steps, "A step at least.")];
    long[] _closerToNoise = new long[steps];

    // [steps, points]
    double[] _sums = new double[checked(steps * points)];

    /// <summary>States that are told apart.</summary>
    public int Steps => _rows.Length;

    /// <summary>The numbers so far; NaN at steps without rows.</summary>
    public IReadOnlyList<TrajectoryStep> Compute() =>
    [
        .. Enumerable.Range(0, Steps).Select(step => new TrajectoryStep(
            [.. _sums.AsSpan(step * _points, _points).ToArray().Select(sum => sum / _rows[step])],
            _closerToNoise[step],
            _rows[step] - _closerToNoise[step])),
    ];

    /// <summary>Takes in whole rows of one step.</summary>
    /// <param name="step">
    /// 0 to <see cref="Steps"/> - 1. What upstream counts begins with the trajectory's start (the noise, or the image in inversion), which
    /// stored states do not contain.
    /// </param>
    /// <param name="states">[n,C,H,W]</param>
    /// <param name="noise">The same rows of the noise.</param>
    /// <param name="latents">The same rows of the latents.</param>
    /// <exception cref="ArgumentException">Not whole rows, not as many of each, or no such step.</exception>
    public void Add(int step, ReadOnlySpan<float> states, ReadOnlySpan<float> noise, ReadOnlySpan<float> latents)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(step, Steps);
        _rows[step] += RowCheck.Count(_rowLength, states, noise, latents);
        var sums = _sums.AsSpan(step * _points, _points);
        for (var at = 0; at < states.Length; at += _rowLength)
        {
            var row = Products.Of(noise.Slice(at, _rowLength), states.Slice(at, _rowLength), latents.Slice(at, _rowLength));

            // Equally far counts as closer to the latent.
            if (row.UU < row.WW)
                _closerToNoise[step]++;
            for (var i = 0; i < sums.Length; i++)
            {
                var alpha = i / (double)(sums.Length - 1);
                sums[i] += Math.Sqrt(Math.Max(0, ((1 - alpha) * row.UU) + (alpha * row.WW) - (alpha * (1 - alpha) * row.VV)));
            }
        }
    }

    /// <inheritdoc/>
    public void Merge(TrajectoryDistances later)
    {
        ArgumentNullException.ThrowIfNull(later);
        RowCheck.SameSettings(Settings, later.Settings);
        for (var step = 0; step < Steps; step++)
        {
            _rows[step] += later._rows[step];
            _closerToNoise[step] += later._closerToNoise[step];
        }

        for (var i = 0; i < _sums.Length; i++)
            _sums[i] += later._sums[i];
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        AnalysisFormat.Begin(writer, Name, shape);
        writer.Write(Steps);
        writer.Write(_points);
        writer.WriteAll(_rows);
        writer.WriteAll(_closerToNoise);
        writer.WriteAll(_sums);
    }

    /// <inheritdoc/>
    public static TrajectoryDistances Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return AnalysisFormat.Read(reader, Name, (input, shape) =>
        {
            var (steps, points) = (AnalysisFormat.ReadSteps(input), AnalysisFormat.ReadSteps(input));
            var (rows, closer) = (AnalysisFormat.ReadLongs(input, steps), AnalysisFormat.ReadLongs(input, steps));
            var sums = AnalysisFormat.ReadDoubles(input, checked(steps * points));
            if (rows.Zip(closer).Any(step => step.Second < 0 || step.Second > step.First))
                throw new InvalidDataException("More states are closer to the noise than there are.");
            return new TrajectoryDistances(shape, steps, points) { _rows = rows, _closerToNoise = closer, _sums = sums };
        });
    }

    (StateShape Shape, int Steps, int Points) Settings => (shape, Steps, _points);
}

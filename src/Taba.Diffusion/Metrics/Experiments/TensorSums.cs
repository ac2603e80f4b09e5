using System.Numerics.Tensors;
using Taba.Diffusion.Metrics.Sums;
using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Diffusion.Metrics.Experiments;

/// <summary>
/// What the numbers of metrics.json need of one tensor: moments and patch correlation, with what their spreads are told by. The
/// covariances are most of it (<see cref="CorrelationGroups"/>). Not thread-safe.
/// </summary>
sealed class TensorSums : IPartialSums<TensorSums>, IDisposable
{
    const string Name = "experiment tensor 1";

    readonly StateShape _shape;
    readonly long _rows;
    MomentsAccumulator _moments = new();
    GroupedMeans _squares;
    CorrelationGroups? _groups;

    /// <summary>Null where the groups hold every patch.</summary>
    PatchCorrelation? _correlation;

    /// <summary>Sums without rows yet.</summary>
    /// <param name="shape">C,H,W of a row.</param>
    /// <param name="rows">N: all rows that are measured, in all parts; at least 1.</param>
    /// <param name="firstRow">The place of the first row to come among all.</param>
    public TensorSums(StateShape shape, long rows, long firstRow = 0)
    {
        (_shape, _rows) = (shape, rows);
        _squares = new(rows, 2, firstRow);
        if (rows >= RowGroups.FewestRows && CorrelationGroups.Fits(shape))
            _groups = new(shape, rows, firstRow);
        if (_groups is not { IsWhole: true })
            _correlation = new(shape);
    }

    /// <summary>Sums of all rows.</summary>
    public static TensorSums Of(IMetricRows rows, CancellationToken cancellationToken)
    {
        var sums = new TensorSums(rows.Shape, rows.Rows);
        foreach (var values in rows.Chunks(cancellationToken))
            sums.Add(values.Span);
        while (sums._correlation is { } correlation && correlation.Pass < correlation.PassCount - 1)
        {
            correlation.EndPass();
            foreach (var values in rows.Chunks(cancellationToken))
                correlation.Add(values.Span);
        }
        return sums;
    }

    /// <summary>Takes in the next whole rows.</summary>
    public void Add(ReadOnlySpan<float> rows)
    {
        _moments.Add(rows);
        _groups?.Add(rows);
        _correlation?.Add(rows);
        var length = checked((int)_shape.Elements);
        // In float32: a spread needs no more.
        for (; !rows.IsEmpty; rows = rows[length..])
            _squares.Add(TensorPrimitives.Sum(rows[..length]) / length, TensorPrimitives.SumOfSquares(rows[..length]) / length);
    }

    public TensorStatistics Compute()
    {
        var grouped = _groups?.Compute();
        var correlation = _correlation is null ? grouped!.Summary : _correlation.Compute();
        return new(
            _moments.Value, correlation, grouped?.Of(correlation.Mean), grouped?.OfNoise(correlation.Mean),
            _squares.Compute(m => Math.Sqrt(m[1] - m[0] * m[0])));
    }

    /// <inheritdoc/>
    public void Merge(TensorSums later)
    {
        ArgumentNullException.ThrowIfNull(later);
        if (later._shape != _shape || later._rows != _rows)
            throw new ArgumentException("The other sums are of other rows.", nameof(later));
        _moments.Merge(later._moments);
        _squares.Merge(later._squares);
        _groups?.Merge(later._groups!);
        _correlation?.Merge(later._correlation!);
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        AnalysisFormat.Begin(writer, Name, _shape);
        writer.Write(_rows);
        _moments.Write(writer);
        _squares.Write(writer);
        _groups?.Write(writer);
        _correlation?.Write(writer);
    }

    /// <inheritdoc/>
    public static TensorSums Read(BinaryReader reader) => AnalysisFormat.Read(reader, Name, (r, shape) =>
    {
        var sums = new TensorSums(shape, r.ReadInt64());
        try
        {
            sums._moments = MomentsAccumulator.Read(r);
            sums._squares = GroupedMeans.Read(r);
            sums._groups = Exchange(sums._groups, () => CorrelationGroups.Read(r));
            sums._correlation = Exchange(sums._correlation, () => PatchCorrelation.Read(r));
            return sums;
        }
        catch
        {
            sums.Dispose();
            throw;
        }
    });

    public void Dispose()
    {
        _groups?.Dispose();
        _correlation?.Dispose();
    }

    static T? Exchange<T>(T? empty, Func<T> read)
        where T : class, IDisposable
    {
        if (empty is null)
            return null;
        empty.Dispose();
        return read();
    }
}

/// <param name="Moments">Of all elements.</param>
/// <param name="Correlation">Of patches.</param>
/// <param name="Jackknife">Of the correlation; null of few rows.</param>
/// <param name="OfNoise">The interval of the correlation if these rows are white noise.</param>
/// <param name="Std">Of the deviation of all elements.</param>
sealed record TensorStatistics(
    Moments Moments, CorrelationSummary Correlation, Jackknife? Jackknife, Interval? OfNoise, Jackknife? Std)
{
    /// <summary>Of no rows.</summary>
    public static readonly TensorStatistics None =
        new(new MomentsAccumulator().Value, new(double.NaN, double.NaN), null, null, null);
}

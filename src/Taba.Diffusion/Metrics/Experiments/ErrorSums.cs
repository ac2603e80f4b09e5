using System.Numerics.Tensors;
using Taba.Diffusion.Metrics.Sums;
using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Diffusion.Metrics.Experiments;

/// <summary>The mean absolute difference of two tensors, and what its spread is told by. Not thread-safe.</summary>
sealed class ErrorSums : IPartialSums<ErrorSums>
{
    const string Name = "experiment error 1";

    readonly StateShape _shape;
    readonly long _rows;
    readonly float[] _difference;
    MeanAbsoluteError _error = new();
    PoissonBootstrap _bootstrap;
    GroupedMeans _means;

    /// <summary>Sums without rows yet.</summary>
    /// <param name="shape">C,H,W of a row of both tensors.</param>
    /// <param name="rows">N: all rows that are measured, in all parts; at least 1.</param>
    /// <param name="firstRow">The place of the first row to come among all.</param>
    public ErrorSums(StateShape shape, long rows, long firstRow = 0)
    {
        (_shape, _rows) = (shape, rows);
        _difference = new float[checked((int)shape.Elements)];
        _bootstrap = new(firstRow: firstRow);
        _means = new(rows, firstRow: firstRow);
    }

    /// <summary>The error; NaN without rows.</summary>
    public double Value => _error.Value;

    /// <summary>Takes in the next whole rows of both tensors.</summary>
    public void Add(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        _error.Add(a, b);
        for (var at = 0; at < a.Length; at += _difference.Length)
        {
            TensorPrimitives.Subtract(a.Slice(at, _difference.Length), b.Slice(at, _difference.Length), _difference);
            var ofRow = (double)TensorPrimitives.SumOfMagnitudes<float>(_difference) / _difference.Length;
            _bootstrap.Add(ofRow);
            _means.Add(ofRow);
        }
    }

    /// <summary>Adds the error under a name, with its interval where there are rows enough.</summary>
    public void AddTo(ExperimentNumbers numbers, string name)
    {
        numbers.Metrics[name] = Value;
        if (_bootstrap.Count >= RowGroups.FewestRows)
            numbers.Add(name, _bootstrap.Interval(), _means.Mean());
    }

    /// <inheritdoc/>
    public void Merge(ErrorSums later)
    {
        ArgumentNullException.ThrowIfNull(later);
        if (later._shape != _shape || later._rows != _rows)
            throw new ArgumentException("The other error is of other rows.", nameof(later));
        _error.Merge(later._error);
        _bootstrap.Merge(later._bootstrap);
        _means.Merge(later._means);
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        AnalysisFormat.Begin(writer, Name, _shape);
        writer.Write(_rows);
        _error.Write(writer);
        _bootstrap.Write(writer);
        _means.Write(writer);
    }

    /// <inheritdoc/>
    public static ErrorSums Read(BinaryReader reader) => AnalysisFormat.Read(reader, Name, (r, shape) => new ErrorSums(shape, r.ReadInt64())
    {
        _error = MeanAbsoluteError.Read(r),
        _bootstrap = PoissonBootstrap.Read(r),
        _means = GroupedMeans.Read(r),
    });
}

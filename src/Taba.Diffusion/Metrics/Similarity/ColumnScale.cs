using MathNet.Numerics.LinearAlgebra;

namespace Taba.Diffusion.Metrics.Similarity;

/// <summary>Mean and reciprocal deviation of each column, which standardise rows as they are read.</summary>
sealed class ColumnScale
{
    const long BlockBytes = 16L << 20;

    readonly double[] _mean;
    readonly double[] _factor;

    ColumnScale(double[] mean, double[] factor) => (_mean, _factor) = (mean, factor);

    /// <summary>Reads all rows once; the deviation is unbiased, and epsilon is added to it.</summary>
    internal static ColumnScale Of(IRowAccess rows, double epsilon, CancellationToken cancellation)
    {
        var (mean, squares) = (new double[rows.RowLength], new double[rows.RowLength]);
        var row = new float[rows.RowLength];
        for (var i = 0L; i < rows.Rows; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            rows.Read(i, row);
            for (var column = 0; column < row.Length; column++)
            {
                var difference = row[column] - mean[column];
                mean[column] += difference / (i + 1);
                squares[column] += difference * (row[column] - mean[column]);
            }
        }

        return new(mean, [.. squares.Select(value => 1 / (Math.Sqrt(value / (rows.Rows - 1)) + epsilon))]);
    }

    /// <summary>All rows, standardised, in blocks.</summary>
    internal IEnumerable<(RowSection Range, Matrix<double> Block)> Blocks(IRowAccess rows, CancellationToken cancellation)
    {
        var atOnce = (int)Math.Clamp(BlockBytes / ((long)rows.RowLength * sizeof(double)), 1, 1024);
        var row = new float[rows.RowLength];
        foreach (var range in new RowSection(0, (int)rows.Rows).Blocks(atOnce))
        {
            cancellation.ThrowIfCancellationRequested();
            var block = Matrix<double>.Build.Dense(range.Count, row.Length);
            for (var i = 0; i < range.Count; i++)
            {
                rows.Read(range.First + i, row);
                for (var column = 0; column < row.Length; column++)
                    block[i, column] = (row[column] - _mean[column]) * _factor[column];
            }

            yield return (range, block);
        }
    }
}

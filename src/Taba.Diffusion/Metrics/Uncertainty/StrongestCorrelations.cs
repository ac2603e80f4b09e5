using System.Numerics.Tensors;

namespace Taba.Diffusion.Metrics.Uncertainty;

/// <summary>Finds the strongest |correlations| between the values of a patch, from sums and products that come and go by groups.</summary>
sealed class StrongestCorrelations(long variables, int topK)
{
    readonly int _size = checked((int)variables);
    readonly double[] _strongest = new double[Math.Min(topK, variables * (variables - 1) / 2)];
    readonly double[] _sums = new double[variables];
    readonly double[] _products = new double[variables * variables];
    readonly double[] _allSums = new double[variables];
    readonly double[] _allProducts = new double[variables * variables];
    readonly double[] _inverse = new double[variables];
    readonly double[] _row = new double[variables];
    double _rows;
    double _allRows;

    internal void Clear()
    {
        Array.Clear(_allSums);
        Array.Clear(_allProducts);
        _allRows = 0;
        Restore();
    }

    internal void Add(ReadOnlySpan<double> sums, ReadOnlySpan<double> products, long rows)
    {
        TensorPrimitives.Add(_allSums, sums, _allSums);
        TensorPrimitives.Add(_allProducts, products, _allProducts);
        _allRows += rows;
        Restore();
    }

    /// <summary>Leaves a group out until <see cref="Restore"/>.</summary>
    internal void Remove(ReadOnlySpan<double> sums, ReadOnlySpan<double> products, long rows)
    {
        TensorPrimitives.Subtract(_sums, sums, _sums);
        TensorPrimitives.Subtract(_products, products, _products);
        _rows -= rows;
    }

    internal void Restore()
    {
        _allSums.CopyTo(_sums, 0);
        _allProducts.CopyTo(_products, 0);
        _rows = _allRows;
    }

    /// <summary>The k largest, in rising order; fewer where there are fewer pairs. All NaN where a value never varied.</summary>
    internal ReadOnlySpan<double> Find()
    {
        if (_strongest.Length == 0)
            return [];
        for (var i = 0; i < _size; i++)
            _inverse[i] = 1 / Math.Sqrt(_products[i * _size + i] - _sums[i] * _sums[i] / _rows);
        Array.Fill(_strongest, -1);
        for (var i = 0; i < _size - 1; i++)
        {
            var length = _size - i - 1;
            var row = _row.AsSpan(0, length);
            TensorPrimitives.MultiplyAdd(
                _sums.AsSpan(i + 1, length), -_sums[i] / _rows, _products.AsSpan(i * _size + i + 1, length), row);
            TensorPrimitives.Multiply(row, _inverse.AsSpan(i + 1, length), row);
            TensorPrimitives.Multiply(row, _inverse[i], row);
            TensorPrimitives.Abs(row, row);
            foreach (var value in row)
            {
                if (value <= _strongest[0])
                    continue;
                if (double.IsNaN(value))
                {
                    // It counts as the largest: the metric says so instead of hiding it.
                    Array.Fill(_strongest, double.NaN);
                    return _strongest;
                }
                Insert(Math.Min(value, 1));
            }
        }
        return _strongest;
    }

    void Insert(double value)
    {
        var at = 0;
        for (; at + 1 < _strongest.Length && _strongest[at + 1] < value; at++)
            _strongest[at] = _strongest[at + 1];
        _strongest[at] = value;
    }
}

using System.Numerics.Tensors;
using Taba.Diffusion.Randomness;

namespace Taba.Diffusion.Metrics.Uncertainty;

/// <summary>
/// Bootstrap of means over rows in one pass: each row counts k times in each replicate, k drawn from Poisson(1) by the address (seed,
/// replicate, row), so that no row is kept and parts merge (Chamandy et al. 2012, "Estimating uncertainty for massive data streams").
/// Several values of a row share its weights. 5 KB, and 5 KB a value, whatever N.
/// </summary>
public sealed class PoissonBootstrap : IPartialSums<PoissonBootstrap>
{
    /// <summary>Fifteen replicates lie beyond each end of a 95 % interval.</summary>
    public const int DefaultReplicates = 600;

    const int MostReplicates = 100_000;
    const int MostValues = 64;
    const int FormatVersion = 1;

    /// <summary>The second half of Philox's key: none of <see cref="NoiseStream"/>, so that weights and noise share nothing.</summary>
    const uint Stream = 0xB007_57A9;

    /// <summary>The cumulated probabilities of Poisson(1) in words of 32 bits; beyond the last the chance is below 1e-9.</summary>
    static readonly uint[] s_cumulated = [.. Cumulated(12)];

    readonly uint _seed;
    readonly int _values;
    readonly double[] _times;
    readonly double[] _weights;
    readonly double[] _sums;
    readonly double[] _plain;
    long _next;
    long _count;

    /// <summary>A bootstrap without rows yet.</summary>
    /// <param name="values">Values of a row, 1 to 64.</param>
    /// <param name="seed">One seed gives the same rows the same weights, whatever their values.</param>
    /// <param name="firstRow">The index of the first row to come.</param>
    /// <param name="replicates">200 to 100,000.</param>
    public PoissonBootstrap(int values = 1, uint seed = 0, long firstRow = 0, int replicates = DefaultReplicates)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(values, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(values, MostValues);
        ArgumentOutOfRangeException.ThrowIfLessThan(replicates, 200);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(replicates, MostReplicates);
        ArgumentOutOfRangeException.ThrowIfNegative(firstRow);
        (_values, _seed, _next) = (values, seed, firstRow);
        _times = new double[(replicates + 3) / 4 * 4];
        _weights = new double[replicates];
        _sums = new double[replicates * values];
        _plain = new double[values];
    }

    /// <summary>Rows so far.</summary>
    public long Count => _count;

    /// <summary>Takes in the next row.</summary>
    /// <param name="values">One for each that the constructor names.</param>
    public void Add(params ReadOnlySpan<double> values)
    {
        if (values.Length != _values)
            throw new ArgumentException($"A row has {_values} values here, not {values.Length}.", nameof(values));
        for (var i = 0; i < values.Length; i++)
            _plain[i] += values[i];
        var row = (ulong)_next++;
        _count++;
        for (var block = 0; block < _times.Length; block += 4)
        {
            var words = Philox.Block(_seed, Stream, (uint)row, (uint)(row >> 32), (uint)block / 4, 0);
            _times[block] = Times(words.X0);
            _times[block + 1] = Times(words.X1);
            _times[block + 2] = Times(words.X2);
            _times[block + 3] = Times(words.X3);
        }
        var times = _times.AsSpan(0, _weights.Length);
        TensorPrimitives.Add(_weights, times, _weights);
        for (var i = 0; i < values.Length; i++)
        {
            var sums = _sums.AsSpan(i * times.Length, times.Length);
            TensorPrimitives.MultiplyAdd(times, values[i], sums, sums);
        }
    }

    /// <summary>The mean of a value over all rows; NaN without.</summary>
    public double Mean(int value = 0) => _plain[value] / _count;

    /// <summary>The percentile interval of a mean: the middle 95 % of the replicates. NaN below two rows.</summary>
    public Interval Interval(int value = 0)
    {
        if (_count < 2)
            return new(double.NaN, double.NaN);
        // A replicate in which no row counts has no mean.
        var means = new List<double>(_weights.Length);
        for (var i = 0; i < _weights.Length; i++)
        {
            if (_weights[i] > 0)
                means.Add(_sums[value * _weights.Length + i] / _weights[i]);
        }
        if (means.Count == 0 || means.Exists(double.IsNaN))
            return new(double.NaN, double.NaN);
        means.Sort();
        var outside = (1 - Uncertainty.Interval.Confidence) / 2;
        return new(Quantile(means, outside), Quantile(means, 1 - outside));
    }

    /// <inheritdoc/>
    public void Merge(PoissonBootstrap later)
    {
        ArgumentNullException.ThrowIfNull(later);
        if (later._values != _values || later._seed != _seed || later._weights.Length != _weights.Length)
            throw new ArgumentException("The other bootstrap has another seed, or other numbers of values or replicates.", nameof(later));
        Sum(_weights, later._weights);
        Sum(_sums, later._sums);
        Sum(_plain, later._plain);
        _count += later._count;
        _next = Math.Max(_next, later._next);
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(FormatVersion);
        writer.Write(_values);
        writer.Write(_seed);
        writer.Write(_next);
        writer.Write(_weights.Length);
        writer.Write(_count);
        writer.WriteAll(_weights);
        writer.WriteAll(_sums);
        writer.WriteAll(_plain);
    }

    /// <inheritdoc/>
    public static PoissonBootstrap Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return PartialSumsFormat.Read("a bootstrap", FormatVersion, reader, () =>
        {
            var read = new PoissonBootstrap(reader.ReadInt32(), reader.ReadUInt32(), reader.ReadInt64(), reader.ReadInt32())
            {
                _count = reader.ReadInt64(),
            };
            foreach (var numbers in (double[][])[read._weights, read._sums, read._plain])
                reader.ReadDoubles(numbers.Length).CopyTo(numbers, 0);
            return read._count >= 0 ? read : throw new InvalidDataException($"A bootstrap of {read._count} rows.");
        });
    }

    /// <summary>Without a branch for the small numbers, which nobody can foresee.</summary>
    static double Times(uint word)
    {
        var times = Bit(word >= s_cumulated[0]) + Bit(word >= s_cumulated[1]) + Bit(word >= s_cumulated[2]) + Bit(word >= s_cumulated[3]);
        if (times == 4)
        {
            while (times < s_cumulated.Length && word >= s_cumulated[times])
                times++;
        }
        return times;

        static int Bit(bool set) => set ? 1 : 0;
    }

    static double Quantile(List<double> sorted, double share)
    {
        var at = share * (sorted.Count - 1);
        var below = (int)at;
        return sorted[below] + (at - below) * (sorted[Math.Min(below + 1, sorted.Count - 1)] - sorted[below]);
    }

    static void Sum(double[] mine, double[] theirs)
    {
        for (var i = 0; i < mine.Length; i++)
            mine[i] += theirs[i];
    }

    static IEnumerable<uint> Cumulated(int most)
    {
        var (chance, sum) = (Math.Exp(-1), 0.0);
        for (var k = 0; k < most; k++)
        {
            sum += chance;
            yield return (uint)Math.Min(uint.MaxValue, sum * 4294967296.0);
            chance /= k + 1;
        }
    }
}

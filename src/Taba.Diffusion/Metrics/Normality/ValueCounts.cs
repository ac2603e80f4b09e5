using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.Normality;

/// <summary>
/// Counts of float32 values by their leading 20 bits, in order of size: 8 MiB whatever the number of values, exact under any cut into
/// parts. A quantile is right to 1/2048 of itself.
/// </summary>
sealed class ValueCounts
{
    // Sign, exponent and 11 bits of the mantissa.
    const int Bits = 20;
    const int Dropped = 32 - Bits;

    long[] _counts = [];
    long _total;

    internal void Add(ReadOnlySpan<float> values)
    {
        var counts = Counts();
        foreach (var value in values)
            counts[Ordered(BitConverter.SingleToUInt32Bits(value)) >> Dropped]++;
        _total += values.Length;
    }

    internal void Merge(ValueCounts later)
    {
        if (later._total == 0)
            return;
        var counts = Counts();
        for (var i = 0; i < later._counts.Length; i++)
            counts[i] += later._counts[i];
        _total += later._total;
    }

    /// <summary>
    /// The values below which the given shares lie, by linear interpolation between ranks (0 is the smallest value, 1 the largest).
    /// </summary>
    /// <param name="shares">0 to 1, ascending.</param>
    internal double[] Quantiles(ReadOnlySpan<double> shares)
    {
        var quantiles = new double[shares.Length];
        if (_total == 0)
        {
            Array.Fill(quantiles, double.NaN);
            return quantiles;
        }

        var (bin, below) = (0, 0L);
        for (var i = 0; i < shares.Length; i++)
        {
            var rank = shares[i] * (_total - 1);
            while (below + _counts[bin] <= rank)
                below += _counts[bin++];

            // Values of a bin are taken to be spread evenly.
            var part = (rank - below + 0.5) / _counts[bin];
            var (from, to) = Edges(bin);
            quantiles[i] = from + (Math.Min(1, part) * (to - from));
        }

        return quantiles;
    }

    internal void Write(BinaryWriter writer)
    {
        writer.Write(_total);
        writer.Write(_counts.Count(count => count != 0));
        for (var i = 0; i < _counts.Length; i++)
        {
            if (_counts[i] == 0)
                continue;
            writer.Write(i);
            writer.Write(_counts[i]);
        }
    }

    internal static ValueCounts Read(BinaryReader reader)
    {
        var (total, filled) = (AnalysisFormat.ReadCount(reader), reader.ReadInt32());
        var counts = new ValueCounts();
        for (var i = 0; i < filled; i++)
        {
            var bin = reader.ReadInt32();
            if (bin is < 0 or >= 1 << Bits)
                throw new InvalidDataException($"There is no bin {bin} of values.");
            var count = AnalysisFormat.ReadCount(reader);
            counts.Counts()[bin] += count;
            counts._total += count;
        }

        return counts._total == total ? counts : throw new InvalidDataException($"{counts._total} values are counted, {total} are stated.");
    }

    long[] Counts() => _counts.Length == 0 ? _counts = new long[1 << Bits] : _counts;

    /// <summary>Bits whose order is that of the values: negative ones are turned round, positive ones put above.</summary>
    static uint Ordered(uint bits) => (bits & 0x80000000) == 0 ? bits | 0x80000000 : ~bits;

    static (double From, double To) Edges(int bin)
    {
        var first = (uint)bin << Dropped;
        return (Value(first), Value(first | ((1u << Dropped) - 1)));

        static double Value(uint ordered) =>
            BitConverter.UInt32BitsToSingle((ordered & 0x80000000) == 0 ? ~ordered : ordered & 0x7fffffff);
    }
}

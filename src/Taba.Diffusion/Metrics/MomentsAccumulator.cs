namespace Taba.Diffusion.Metrics;

/// <summary>
/// Mean and standard deviation of values that come in parts, in float64 (latent_stats, noise_stats). Each block is centred on its
/// own mean before blocks are merged (Chan et al. 1979), so nothing is lost where the mean is large beside the spread.
/// </summary>
public sealed class MomentsAccumulator : IPartialSums<MomentsAccumulator>
{
    const int BlockLength = 4096;
    const int FormatVersion = 1;

    long _count;
    double _mean;

    // Sum of squared differences from the mean.
    double _squares;

    /// <summary>The moments of what was added so far.</summary>
    public Moments Value => new(_count, _count == 0 ? double.NaN : _mean, _count < 2 ? double.NaN : Math.Sqrt(_squares / (_count - 1)));

    /// <summary>Takes in any number of values.</summary>
    public void Add(ReadOnlySpan<float> values)
    {
        while (!values.IsEmpty)
        {
            var block = values[..Math.Min(values.Length, BlockLength)];
            var sum = 0.0;
            foreach (var value in block)
                sum += value;
            var blockMean = sum / block.Length;

            var blockSquares = 0.0;
            foreach (var value in block)
                blockSquares += (value - blockMean) * (value - blockMean);

            Merge(block.Length, blockMean, blockSquares);
            values = values[block.Length..];
        }
    }

    /// <summary>Takes in what another accumulator has seen.</summary>
    public void Merge(MomentsAccumulator later)
    {
        ArgumentNullException.ThrowIfNull(later);
        Merge(later._count, later._mean, later._squares);
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(FormatVersion);
        writer.Write(_count);
        writer.Write(_mean);
        writer.Write(_squares);
    }

    /// <inheritdoc/>
    public static MomentsAccumulator Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return PartialSumsFormat.Read("moments", FormatVersion, reader, () => new MomentsAccumulator
        {
            _count = reader.ReadInt64(),
            _mean = reader.ReadDouble(),
            _squares = reader.ReadDouble(),
        });
    }

    void Merge(long otherCount, double otherMean, double otherSquares)
    {
        if (otherCount == 0)
            return;

        var total = _count + otherCount;
        var difference = otherMean - _mean;
        _mean += difference * otherCount / total;
        _squares += otherSquares + (difference * difference * _count / total * otherCount);
        _count = total;
    }
}

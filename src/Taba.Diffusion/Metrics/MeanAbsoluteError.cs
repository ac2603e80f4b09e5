namespace Taba.Diffusion.Metrics;

/// <summary>Mean of |a - b| over values that come in parts (reconstruction_error_noise, reconstruction_error_images).</summary>
public sealed class MeanAbsoluteError : IPartialSums<MeanAbsoluteError>
{
    const int FormatVersion = 1;

    long _count;
    double _sum;

    /// <summary>The mean so far; NaN before the first value.</summary>
    public double Value => _sum / _count;

    /// <summary>Takes in as many values of one tensor as of the other.</summary>
    /// <exception cref="ArgumentException">Lengths differ.</exception>
    public void Add(ReadOnlySpan<float> a, ReadOnlySpan<float> b)
    {
        if (a.Length != b.Length)
            throw new ArgumentException(
                $"The mean absolute error needs tensors of one size: these parts have {a.Length} and {b.Length} values.");

        for (var i = 0; i < a.Length; i++)
            _sum += Math.Abs((double)a[i] - b[i]);
        _count += a.Length;
    }

    /// <summary>Takes in what another accumulator has seen.</summary>
    public void Merge(MeanAbsoluteError later)
    {
        ArgumentNullException.ThrowIfNull(later);
        _sum += later._sum;
        _count += later._count;
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.Write(FormatVersion);
        writer.Write(_count);
        writer.Write(_sum);
    }

    /// <inheritdoc/>
    public static MeanAbsoluteError Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return PartialSumsFormat.Read(
            "a mean absolute error", FormatVersion, reader,
            () => new MeanAbsoluteError { _count = reader.ReadInt64(), _sum = reader.ReadDouble() });
    }
}

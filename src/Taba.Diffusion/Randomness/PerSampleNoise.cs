using System.Buffers.Binary;

namespace Taba.Diffusion.Randomness;

/// <summary>
/// Noise in which sample i has the same numbers whatever the number of samples, their order or the machine: Philox4x32-10 with
/// key (seed, stream) and counter (sample, block), four normals a block by Box-Muller in float64 (docs/design/noise.md).
/// </summary>
public sealed class PerSampleNoise : INoiseSource
{
    const double WordScale = 1.0 / 4294967296.0;

    readonly uint _seed;
    readonly uint _stream;
    readonly Dtype _dtype;
    readonly int _elementSize;
    readonly long _rowElements;

    /// <summary>Noise of one seed and use.</summary>
    /// <param name="address">
    /// Its seed is 0 to 2^32 - 1: the half of the generator's key that there is for it. The float64 normals are rounded to its dtype.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The seed does not fit.</exception>
    public PerSampleNoise(NoiseAddress address)
    {
        if (address.Seed is < 0 or > uint.MaxValue)
            throw new ArgumentOutOfRangeException(
                nameof(address), address.Seed, $"A seed of the per-sample layout must be 0 to {uint.MaxValue}.");

        _seed = (uint)address.Seed;
        _stream = (uint)address.Stream;
        _dtype = address.Dtype;
        _elementSize = _dtype.Size();
        _rowElements = address.Shape.Elements;
        ArgumentOutOfRangeException.ThrowIfLessThan(_rowElements, 1, nameof(address));
        RowBytes = checked((int)(_rowElements * _elementSize));
    }

    /// <inheritdoc/>
    public int RowBytes { get; }

    /// <inheritdoc/>
    public void Rows(long start, int count, Span<byte> destination)
    {
        RowRequest.Check(start, count, RowBytes, destination.Length, null);
        for (var i = 0; i < count; i++)
            Row((ulong)(start + i), destination.Slice(i * RowBytes, RowBytes));
    }

    /// <summary>Nothing to release.</summary>
    public void Dispose()
    {
    }

    void Row(ulong sample, Span<byte> row)
    {
        Span<double> normals = stackalloc double[4];
        for (long element = 0, block = 0; element < _rowElements; element += 4, block++)
        {
            FourNormals(sample, (ulong)block, normals);
            for (var i = 0; i < 4 && element + i < _rowElements; i++)
                Write(normals[i], row.Slice((int)(element + i) * _elementSize, _elementSize));
        }
    }

    void FourNormals(ulong sample, ulong block, Span<double> normals)
    {
        var words = Philox.Block(_seed, _stream, (uint)sample, (uint)(sample >> 32), (uint)block, (uint)(block >> 32));
        (normals[0], normals[1]) = BoxMuller(words.X0, words.X1);
        (normals[2], normals[3]) = BoxMuller(words.X2, words.X3);
    }

    // Half a step is added so that the logarithm's argument is never 0.
    static (double First, double Second) BoxMuller(uint radiusWord, uint angleWord)
    {
        var radius = Math.Sqrt(-2 * Math.Log((radiusWord + 0.5) * WordScale));
        var (sine, cosine) = Math.SinCos(2 * Math.PI * ((angleWord + 0.5) * WordScale));
        return (radius * cosine, radius * sine);
    }

    void Write(double value, Span<byte> element)
    {
        switch (_dtype)
        {
            case Dtype.Float64:
                BinaryPrimitives.WriteDoubleLittleEndian(element, value);
                break;
            case Dtype.Float16:
                BinaryPrimitives.WriteHalfLittleEndian(element, (Half)value);
                break;
            case Dtype.BFloat16:
                BinaryPrimitives.WriteUInt16LittleEndian(element, ToBFloat16((float)value));
                break;
            default:
                BinaryPrimitives.WriteSingleLittleEndian(element, (float)value);
                break;
        }
    }

    // Round to nearest, ties to even; the values are finite.
    static ushort ToBFloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}

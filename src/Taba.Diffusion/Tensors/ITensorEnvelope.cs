namespace Taba.Diffusion.Tensors;

/// <summary>The bytes that a format puts around those of one tensor whose size is known beforehand.</summary>
interface ITensorEnvelope
{
    /// <summary>The bytes before the tensor.</summary>
    ReadOnlySpan<byte> Head { get; }

    /// <summary>
    /// The place in <see cref="Head"/> of the CRC-32 of the tensor's bytes, little-endian; null when the format has none.
    /// </summary>
    int? CrcPosition { get; }

    /// <summary>The bytes after the tensor.</summary>
    ReadOnlySpan<byte> Tail(uint crc);
}

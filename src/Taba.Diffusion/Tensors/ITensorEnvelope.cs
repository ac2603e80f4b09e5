namespace Taba.Diffusion.Tensors;

/// <summary>What a format puts around the bytes of one tensor whose size is known beforehand.</summary>
interface ITensorEnvelope
{
    /// <summary>The bytes before the tensor.</summary>
    ReadOnlySpan<byte> Head { get; }

    /// <summary>Where in <see cref="Head"/> the CRC-32 of the tensor's bytes belongs, little-endian; null when the format has none.</summary>
    int? CrcPosition { get; }

    /// <summary>The bytes after the tensor.</summary>
    ReadOnlySpan<byte> Tail(uint crc);
}

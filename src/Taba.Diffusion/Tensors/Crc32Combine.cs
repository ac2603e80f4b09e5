namespace Taba.Diffusion.Tensors;

/// <summary>
/// The CRC-32 of zip archives of bytes put together from parts, without the bytes. Appending a byte multiplies the register
/// by x^8 modulo the CRC's polynomial, so appending n bytes multiplies it by x^(8n), found by squaring.
/// </summary>
public static class Crc32Combine
{
    /// <summary>x^32 + x^26 + ... + 1 with the lowest power in the highest bit, as the register holds it.</summary>
    const uint Polynomial = 0xEDB88320;
    const uint One = 1u << 31;
    const uint XToThe8 = One >> 8;

    /// <summary>The CRC of A followed by B.</summary>
    /// <param name="first">The CRC of A.</param>
    /// <param name="second">The CRC of B.</param>
    /// <param name="secondBytes">The length of B in bytes.</param>
    public static uint Combine(uint first, uint second, long secondBytes) => Multiply(PowerOfX8(secondBytes), first) ^ second;

    /// <summary>The CRC of A followed by zero bytes.</summary>
    /// <param name="first">The CRC of A.</param>
    /// <param name="zeroBytes">How many zeros follow.</param>
    // The register is complemented before and after, which is why zeros are not the neutral element.
    public static uint AppendZeros(uint first, long zeroBytes) => ~Multiply(PowerOfX8(zeroBytes), ~first);

    static uint PowerOfX8(long exponent)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(exponent);
        var (result, factor) = (One, XToThe8);
        for (; exponent > 0; exponent >>= 1)
        {
            if ((exponent & 1) != 0)
                result = Multiply(result, factor);
            factor = Multiply(factor, factor);
        }

        return result;
    }

    static uint Multiply(uint a, uint b)
    {
        var product = 0u;
        for (; a != 0; a <<= 1)
        {
            if ((a & One) != 0)
                product ^= b;
            b = (b & 1) != 0 ? (b >> 1) ^ Polynomial : b >> 1;
        }

        return product;
    }
}

using System.Runtime.InteropServices;
using Taba.Diffusion.Randomness;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Randomness;

public sealed class PerSampleNoiseTests
{
    static readonly StateShape s_shape = new(3, 5, 5);

    // Known answers that the authors of Philox publish with Random123 (kat_vectors).
    [Theory]
    [InlineData(0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8)]
    [InlineData(0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd)]
    [InlineData(0xa4093822, 0x299f31d0, 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1)]
    public void Philox_OfPublishedVectors_GivesTheirAnswers(
        uint k0, uint k1, uint c0, uint c1, uint c2, uint c3, uint x0, uint x1, uint x2, uint x3) =>
        Assert.Equal((x0, x1, x2, x3), Philox.Block(k0, k1, c0, c1, c2, c3));

    [Fact]
    public void Rows_ReadTogetherOrApart_AreTheSame()
    {
        using var noise = Noise(420, NoiseStream.Initial, Dtype.Float32, s_shape);
        var together = Read(noise, 0, 9);
        Assert.Equal(together.AsSpan(5 * noise.RowBytes, 2 * noise.RowBytes).ToArray(), Read(noise, 5, 2));
    }

    [Fact]
    public void Rows_OfOtherSeedStreamOrSample_Differ()
    {
        using var noise = Noise(420, NoiseStream.Initial, Dtype.Float32, s_shape);
        using var otherSeed = Noise(421, NoiseStream.Initial, Dtype.Float32, s_shape);
        using var otherStream = Noise(420, NoiseStream.Forward, Dtype.Float32, s_shape);
        var row = Read(noise, 0, 1);
        Assert.NotEqual(row, Read(otherSeed, 0, 1));
        Assert.NotEqual(row, Read(otherStream, 0, 1));
        Assert.NotEqual(row, Read(noise, 1, 1));
    }

    [Fact]
    public void Rows_OfTheDocumentedExample_AreItsNumbers()
    {
        // Printed by the reader in docs/design/noise.md.
        using var noise = Noise(420, NoiseStream.Initial, Dtype.Float64, new StateShape(1, 1, 6));
        var values = MemoryMarshal.Cast<byte, double>(Read(noise, 17, 1));
        double[] expected = [0.5286594458364057, 0.7736456649842547, 0.0008450288331339552, -0.17072520605630198, 0.30156745480235386,
            -0.24447776100720137];
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], values[i], 1e-14);
    }

    [Theory]
    [InlineData(Dtype.Float16)]
    [InlineData(Dtype.BFloat16)]
    [InlineData(Dtype.Float32)]
    public void Rows_InANarrowerType_AreRoundedToNearest(Dtype dtype)
    {
        using var exact = Noise(3, NoiseStream.Initial, Dtype.Float64, s_shape);
        using var narrow = Noise(3, NoiseStream.Initial, dtype, s_shape);
        var wide = MemoryMarshal.Cast<byte, double>(Read(exact, 0, 4)).ToArray();
        var bytes = Read(narrow, 0, 4);

        using var scope = TorchSharp.torch.NewDisposeScope();
        var expected = tensor(wide).to(ScalarType.Float32).to(dtype.ToScalarType());
        Assert.Equal(expected.bytes.ToArray(), bytes);
    }

    [Fact]
    public void Rows_OfManySamples_HaveTheMomentsOfANormal()
    {
        using var noise = Noise(1, NoiseStream.Initial, Dtype.Float32, new StateShape(3, 32, 32));
        var values = MemoryMarshal.Cast<byte, float>(Read(noise, 0, 64));
        var (sum, squares, fourth) = (0.0, 0.0, 0.0);
        foreach (var value in values)
        {
            var square = (double)value * value;
            (sum, squares, fourth) = (sum + value, squares + square, fourth + (square * square));
        }

        // Five standard errors each: 1/√n, √(2/n), √(96/n).
        var n = (double)values.Length;
        Assert.Equal(0, sum / n, 5 / Math.Sqrt(n));
        Assert.Equal(1, squares / n, 5 * Math.Sqrt(2 / n));
        Assert.Equal(3, fourth / n, 5 * Math.Sqrt(96 / n));
    }

    [Theory]
    [InlineData(-1L)]
    [InlineData(1L << 32)]
    public void Constructor_WithASeedTooLarge_Throws(long seed) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Noise(seed, NoiseStream.Initial, Dtype.Float32, s_shape));

    static PerSampleNoise Noise(long seed, NoiseStream stream, Dtype dtype, StateShape shape) =>
        new(new NoiseAddress(NoiseLayout.PerSample, seed, dtype, stream, shape));

    static byte[] Read(PerSampleNoise noise, long start, int count)
    {
        var bytes = new byte[count * noise.RowBytes];
        noise.Rows(start, count, bytes);
        return bytes;
    }
}

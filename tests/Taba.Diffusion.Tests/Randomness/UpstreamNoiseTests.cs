using CsCheck;
using Taba.Diffusion.Randomness;
using Taba.Testing;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Randomness;

public sealed class UpstreamNoiseTests
{
    public static TheoryData<Dtype> Dtypes => [Dtype.Float32, Dtype.Float16, Dtype.BFloat16, Dtype.Float64];

    // Rows that are a multiple of the block of 16, longer and shorter than a block, and totals that are no multiple of it.
    public static TheoryData<Dtype, int, int, int> Draws
    {
        get
        {
            var data = new TheoryData<Dtype, int, int, int>();
            foreach (var row in Dtypes)
            {
                foreach (var (channels, side, rows) in new[] { (3, 32, 5), (1, 4, 7), (3, 7, 9), (1, 1, 15), (1, 1, 16), (1, 1, 17),
                    (1, 3, 40), (5, 1, 3) })
                    data.Add(row.Data, channels, side, rows);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Draws))]
    public void Rows_OneAtATime_AreThoseOfOneDraw(Dtype dtype, int channels, int side, int rows)
    {
        var shape = new StateShape(channels, side, side);
        var expected = OneDraw(420, dtype, shape, rows);
        using var noise = Noise(420, dtype, shape, rows);
        var actual = new byte[expected.Length];

        for (var row = 0; row < rows; row++)
            noise.Rows(row, 1, actual.AsSpan(row * noise.RowBytes, noise.RowBytes));

        TensorAssert.SameBytes(actual, expected, $"{rows} rows of {shape} in {dtype}");
    }

    [Theory]
    [MemberData(nameof(Dtypes))]
    public void Rows_InAnyOrder_AreThoseOfOneDraw(Dtype dtype)
    {
        var shape = new StateShape(3, 5, 5);
        const int Rows = 61;
        var expected = OneDraw(7, dtype, shape, Rows);
        using var noise = Noise(7, dtype, shape, Rows);

        Gen.Select(Gen.Int[0, Rows], Gen.Int[0, Rows]).Sample(
            (a, b) =>
            {
                var (start, end) = (Math.Min(a, b), Math.Max(a, b));
                var actual = new byte[(end - start) * noise.RowBytes];
                noise.Rows(start, end - start, actual);
                TensorAssert.SameBytes(actual, expected.AsSpan(start * noise.RowBytes, actual.Length), $"rows {start} to {end}");
            },
            iter: 200,
            threads: 2);
    }

    [Theory]
    [MemberData(nameof(Dtypes))]
    public void Rows_BeyondSavedStates_AreThoseOfOneDraw(Dtype dtype)
    {
        // 1.2 million elements: several saved states lie between the rows asked for.
        var shape = new StateShape(3, 64, 64);
        const int Rows = 100;
        var expected = OneDraw(11, dtype, shape, Rows);
        using var noise = Noise(11, dtype, shape, null);
        var actual = new byte[noise.RowBytes];

        foreach (var row in new[] { 99, 3, 98, 50, 51, 0, 77, 21, 22, 99 })
        {
            noise.Rows(row, 1, actual);
            TensorAssert.SameBytes(actual, expected.AsSpan(row * noise.RowBytes, noise.RowBytes), $"row {row}");
        }
    }

    [Fact]
    public void Rows_OfSeedsEqualInTheirLow32Bits_AreEqual()
    {
        var shape = new StateShape(1, 4, 4);
        Assert.Equal(Read(Noise(420, Dtype.Float32, shape, null)), Read(Noise(420 + (1L << 32), Dtype.Float32, shape, null)));

        static byte[] Read(UpstreamNoise noise)
        {
            using (noise)
            {
                var bytes = new byte[2 * noise.RowBytes];
                noise.Rows(0, 2, bytes);
                return bytes;
            }
        }
    }

    [Fact]
    public void Constructor_WithoutATotalThatNumbersDependOn_Throws()
    {
        var error = Assert.Throws<InvalidOperationException>(() => Noise(1, Dtype.Float32, new StateShape(3, 5, 5), null));
        Assert.Contains("multiple of 16", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Rows_PastTheLast_Throws()
    {
        using var noise = Noise(1, Dtype.Float32, new StateShape(1, 4, 4), 4);
        Assert.Throws<ArgumentOutOfRangeException>(() => noise.Rows(3, 2, new byte[2 * noise.RowBytes]));
        Assert.Throws<ArgumentException>(() => noise.Rows(3, 1, new byte[2 * noise.RowBytes]));
    }

    static UpstreamNoise Noise(long seed, Dtype dtype, StateShape shape, long? rows) =>
        new(new NoiseAddress(NoiseLayout.Upstream, seed, dtype, NoiseStream.Initial, shape, rows));

    static byte[] OneDraw(ulong seed, Dtype dtype, StateShape shape, int rows)
    {
        using var generator = new Generator(seed, CPU);
        using var whole = randn(shape.Batch(rows), dtype.ToScalarType(), CPU, generator: generator);
        return whole.bytes.ToArray();
    }
}

using System.IO.Hashing;
using Taba.Diffusion.Tensors;

namespace Taba.Diffusion.Tests.Tensors;

public sealed class Crc32CombineTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 5)]
    [InlineData(5, 0)]
    [InlineData(1, 1)]
    [InlineData(1000, 65537)]
    [InlineData(65537, 3)]
    public void Combine_TwoParts_EqualsTheWhole(int first, int second)
    {
        var bytes = new byte[first + second];
        new Random(first + second).NextBytes(bytes);
        Assert.Equal(
            Crc32.HashToUInt32(bytes),
            Crc32Combine.Combine(Crc32.HashToUInt32(bytes.AsSpan(0, first)), Crc32.HashToUInt32(bytes.AsSpan(first)), second));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 1)]
    [InlineData(17, 100_001)]
    public void AppendZeros_EqualsTheWhole(int first, int zeros)
    {
        var bytes = new byte[first + zeros];
        new Random(first).NextBytes(bytes.AsSpan(0, first));
        Assert.Equal(Crc32.HashToUInt32(bytes), Crc32Combine.AppendZeros(Crc32.HashToUInt32(bytes.AsSpan(0, first)), zeros));
    }

    [Fact]
    public void AppendZeros_MoreThanFourGigabytes_EqualsManySteps()
    {
        const long Step = 1L << 30;
        var steps = 0x12345678u;
        for (var i = 0; i < 9; i++)
            steps = Crc32Combine.AppendZeros(steps, Step);
        Assert.Equal(steps, Crc32Combine.AppendZeros(0x12345678, 9 * Step));
    }

    [Fact]
    public void RunningCrc32_BytesAndZeros_EqualsTheWhole()
    {
        var (running, whole, random) = (new RunningCrc32(), new Crc32(), new Random(4));
        for (var round = 0; round < 50; round++)
        {
            var bytes = new byte[random.Next(100)];
            random.NextBytes(bytes);
            running.Append(bytes);
            whole.Append(bytes);
            var zeros = random.Next(100);
            running.AppendZeros(zeros);
            whole.Append(new byte[zeros]);
            Assert.Equal(whole.GetCurrentHashAsUInt32(), running.Value);
        }
    }
}

using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using CsCheck;
using Taba.Diffusion.Randomness;
using Taba.Testing;

namespace Taba.Diffusion.Tests.Randomness;

public sealed class NumpyRandomStateTests
{
    /// <summary>
    /// RandomState(seed).permutation(n) by NumPy: its first eight (or all) and the SHA-256 of all as little-endian int64.
    /// </summary>
    public static TheoryData<long, int, long[], string> Vectors => new()
    {
        { 0, 10, [2, 8, 4, 9, 1, 6, 7, 3], "59a6f8b823231de56c27035e72c843baa34d375a4a80432954a3cde1d4c92f32" },
        { 10, 10, [8, 2, 5, 6, 3, 1, 0, 7], "17e20d7993fbbc32b0213c14243a6c6123593c18ee60e6366b726f6d935f69f9" },
        { 10, 30000, [20412, 1296, 3906, 20454, 5200, 13595, 23974, 6980],
        "ad342b76b25ecbf844da1dd79f8d97c773547e5c5487afc17ba0b589573bad1e" },
        { 420, 30000, [9898, 26764, 13483, 25866, 13285, 23847, 12971, 15491],
        "968c73c31ad5ed100b5f9da4b108a1d853f4599a8f09878cf55f388d9cfb5be7" },
        { uint.MaxValue, 1000, [94, 405, 819, 632, 217, 169, 449, 275],
        "0651512d04e8720113dd1b3add8de31c3d53d6f3e7a77b1d5239e24794ec40c5" },
        { 10, 1, [0], "af5570f5a1810b7af78caf4bc70a660f0df51e42baf91d4de5b2328de0e83dfc" },
        { 10, 2, [0, 1], "9d34149fbd1fe777eb238799054c8cbfbce372255f219f8740838def9bfd02db" },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Permutation_OfASeed_IsNumpys(long seed, int length, long[] head, string digest)
    {
        var permutation = new NumpyRandomState(seed).PermutationHead(length, length);

        Assert.Equal(head, permutation[..head.Length]);
        Assert.Equal(digest, Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(permutation.AsSpan()))));
    }

    [Fact]
    [Trait(Needs.Trait, Needs.Process)]
    public void Permutation_OfManySeeds_IsThatOfTheNumpyHere()
    {
        Assert.SkipWhen(PythonTorch.MissingNumpy is not null, PythonTorch.MissingNumpy ?? "");
        var output = PythonTorch.Run(
            """
            import numpy
            for n in (1, 2, 3, 4, 5, 255, 256, 257, 1000, 65537):
                for seed in (0, 1, 10, 420, 2**31, 2**32 - 1):
                    print(seed, n, *numpy.random.RandomState(seed).permutation(n)[:20])
            """);

        foreach (var line in output.TrimEnd().Split('\n'))
        {
            var numbers = line.Split(' ').Select(text => long.Parse(text, CultureInfo.InvariantCulture)).ToArray();
            Assert.Equal(numbers[2..], new NumpyRandomState(numbers[0]).PermutationHead(numbers[1], numbers.Length - 2));
        }
    }

    [Fact]
    public void PermutationHead_Traced_IsThatOfTheWholePermutation()
    {
        Gen.Select(Gen.Int[0, 300], Gen.Int[0, 300], Gen.Int[1, 70], Gen.UInt).Sample(
            (length, wanted, block, seed) =>
            {
                var count = Math.Min(wanted, length);
                Assert.Equal(
                    new NumpyRandomState(seed).PermutationHead(length, length)[..count],
                    new NumpyRandomState(seed).PermutationHead(length, count, block));
            },
            iter: 500,
            threads: 2);
    }

    [Fact]
    public void PermutationHead_OfALongSequence_TakesLittleMemory()
    {
        // 2^25 indices would take 128 MiB.
        var before = GC.GetAllocatedBytesForCurrentThread();
        var head = new NumpyRandomState(10).PermutationHead(1L << 25, 8);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(8, head.Distinct().Count());
        Assert.All(head, index => Assert.InRange(index, 0, (1L << 25) - 1));
        Assert.InRange(allocated, 0, 16 << 20);
    }

    [Theory]
    [InlineData(-1L)]
    [InlineData(1L << 32)]
    public void Constructor_SeedThatNumpyRefuses_IsRefused(long seed)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => new NumpyRandomState(seed));
        Assert.Contains($"{seed}", error.Message);
    }

    [Theory]
    [InlineData(5, 6)]
    [InlineData(-1, 0)]
    [InlineData((1L << 31) + 1, 1)]
    public void PermutationHead_OutsideTheSequence_IsRefused(long length, int count) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new NumpyRandomState(0).PermutationHead(length, count));
}

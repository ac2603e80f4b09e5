using Taba.Diffusion.Native;

namespace Taba.Diffusion.Tests.Native;

/// <summary>What the numbers are where caches are hidden is for <c>ConvolutionTests</c>, which run on whatever machine there is.</summary>
public class HiddenCachesTests
{
    static readonly uint[] s_hidden = [1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 3];

    [Fact]
    public void Find_SizesOfOneByte_WhereTheyBegin() => Assert.Equal(7, HiddenCaches.Find([5, 5, 5, 0, 1, 1, 1, .. s_hidden, 0, 2]));

    [Theory]
    [InlineData(0, 32768)]
    [InlineData(2, 1024)]
    [InlineData(12, 8)]
    [InlineData(20, 2)]
    public void Find_AnythingElse_Nowhere(int at, uint value)
    {
        uint[] memory = [7, .. s_hidden, 7];
        memory[at + 1] = value;

        Assert.Equal(-1, HiddenCaches.Find(memory));
    }

    [Theory]
    [InlineData(0x300C0140u, 0x04006140u, 48u << 10, 1024u << 10)]
    [InlineData(0x20080140u, 0x02006140u, 32u << 10, 512u << 10)]
    [InlineData(0u, 0u, 32u << 10, 512u << 10)]
    public void Sizes_OfOldLeaves_InBytes(uint first, uint second, uint firstCache, uint secondCache) =>
        Assert.Equal([firstCache, secondCache, 1 << 20], HiddenCaches.Sizes(first, second));

    [Fact]
    public void LetOneDnnKnow_Here_LeavesNothingHidden() => Assert.True(HiddenCaches.LetOneDnnKnow());
}

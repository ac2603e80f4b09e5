using Taba.Silo.Parts;
using Taba.Silo.Rows;

namespace Taba.Silo.Tests.Engines;

public sealed class RowBuffersTests
{
    [Fact]
    public void Rent_AfterReturn_GivesTheSameArrayOnlyForTheSameSize()
    {
        var buffers = new RowBuffers();
        var first = buffers.Rent(100);
        Assert.Equal(100, first.Length);
        Assert.NotSame(first, buffers.Rent(100));

        buffers.Return(first);

        Assert.Equal(60, buffers.Rent(60).Length);
        Assert.Same(first, buffers.Rent(100));
    }

    [Fact]
    public void Return_ManySizes_HoldsOnlyAFew()
    {
        var buffers = new RowBuffers();
        var returned = Enumerable.Range(1, 100).Select(size => new byte[size]).ToList();
        returned.ForEach(buffers.Return);

        Assert.Equal(4, returned.Count(b => ReferenceEquals(b, buffers.Rent(b.Length))));
    }

    [Fact]
    public void RecentResults_PushedOut_ReturnTheirArrays()
    {
        var buffers = new RowBuffers();
        var recent = new RecentResults(buffers);
        var arrays = Enumerable.Range(0, 5).Select(i => Enumerable.Repeat((byte)i, 8).ToArray()).ToList();
        for (var i = 0; i < arrays.Count; i++)
            recent.Add("ab", new RowRange(i * 2, i * 2 + 2), arrays[i]);

        var read = new byte[4];
        Assert.False(recent.TryRead("ab", new RowRange(0, 1), read));
        Assert.True(recent.TryRead("ab", new RowRange(3, 4), read));
        Assert.Equal([1, 1, 1, 1], read);
        Assert.Same(arrays[0], buffers.Rent(8));
        Assert.NotSame(arrays[1], buffers.Rent(8));
    }
}

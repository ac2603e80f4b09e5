namespace Taba.Abstractions.Tests;

public sealed class NoiseAddressTests
{
    static readonly NoiseAddress s_address = new(
        NoiseLayout.Upstream, 420, Dtype.Float32, NoiseStream.Initial, new StateShape(3, 32, 32), 128);

    [Fact]
    public void Canonical_OfUpstream_LeavesOutWhatNumbersDoNotDependOn()
    {
        Assert.Equal("upstream noise seed 420 float32", s_address.Canonical);
        Assert.Equal(s_address.Canonical, (s_address with { TotalRows = 256, Stream = NoiseStream.Forward }).Canonical);
    }

    [Fact]
    public void Canonical_WhenTheTailDependsOnTheTotal_HoldsTheTotal()
    {
        var address = s_address with { Shape = new StateShape(3, 5, 5), TotalRows = 10 };
        Assert.Equal("upstream noise seed 420 float32 of 10", address.Canonical);
        Assert.Throws<InvalidOperationException>(() => (address with { TotalRows = null }).Canonical);
    }

    [Fact]
    public void Canonical_OfPerSample_HoldsSeedAndDtype()
    {
        var address =
            s_address with { Layout = NoiseLayout.PerSample, Dtype = Dtype.BFloat16, Shape = new StateShape(3, 5, 5), TotalRows = null };
        Assert.Equal("per-sample noise seed 420 bfloat16", address.Canonical);
        Assert.False(address.DependsOnTotal);
    }

    [Theory]
    [InlineData(3, 32, 7, false)]
    [InlineData(1, 1, 16, false)]
    [InlineData(1, 1, 15, true)]
    [InlineData(1, 1, 17, true)]
    [InlineData(3, 5, 16, false)]
    public void DependsOnTotal_OnlyWhenElementsDoNotFillBlocks(int channels, int side, int rows, bool expected) =>
        Assert.Equal(expected, (s_address with { Shape = new StateShape(channels, side, side), TotalRows = rows }).DependsOnTotal);
}

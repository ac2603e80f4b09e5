using Taba.Diffusion.Randomness;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Randomness;

public sealed class NoiseAddressTests
{
    static readonly NoiseAddress Address = new(NoiseLayout.Upstream, 420, ScalarType.Float32, NoiseStream.Initial, new StateShape(3, 32, 32), 128);

    [Fact]
    public void Canonical_OfUpstream_LeavesOutWhatNumbersDoNotDependOn()
    {
        Assert.Equal("noise/upstream;seed=420;dtype=float32;shape=3x32x32", Address.Canonical);
        Assert.Equal(Address.Canonical, (Address with { TotalRows = 256, Stream = NoiseStream.Forward, Seed = 420 + (1L << 32) }).Canonical);
    }

    [Fact]
    public void Canonical_WhenTheTailDependsOnTheTotal_HoldsTheTotal()
    {
        var address = Address with { Shape = new StateShape(3, 5, 5), TotalRows = 10 };
        Assert.Equal("noise/upstream;seed=420;dtype=float32;shape=3x5x5;rows=10", address.Canonical);
        Assert.Throws<InvalidOperationException>(() => (address with { TotalRows = null }).Canonical);
        Assert.False((address with { TotalRows = 16 }).DependsOnTotal);
    }

    [Fact]
    public void Canonical_OfPerSample_HoldsSeedAndStream()
    {
        var address = Address with { Layout = NoiseLayout.PerSample, Stream = NoiseStream.Forward, Shape = new StateShape(3, 5, 5), TotalRows = null };
        Assert.Equal("noise/per-sample;seed=420;stream=1;dtype=float32;shape=3x5x5", address.Canonical);
        Assert.False(address.DependsOnTotal);
    }

    [Fact]
    public void Canonical_OfATypeNoiseIsNotDrawnIn_Throws() =>
        Assert.Throws<NotSupportedException>(() => (Address with { Dtype = ScalarType.Int64 }).Canonical);

    [Theory]
    [InlineData(NoiseLayout.Upstream)]
    [InlineData(NoiseLayout.PerSample)]
    public void Open_OfEitherLayout_GivesRowsOfTheShape(NoiseLayout layout)
    {
        using var noise = (Address with { Layout = layout }).Open();
        Assert.Equal(3 * 32 * 32 * 4, noise.RowBytes);
    }
}

using Taba.Diffusion.Randomness;

namespace Taba.Diffusion.Tests.Randomness;

public sealed class NoiseAddressesTests
{
    [Theory]
    [InlineData(NoiseLayout.Upstream)]
    [InlineData(NoiseLayout.PerSample)]
    public void Open_OfEitherLayout_GivesRowsOfTheShape(NoiseLayout layout)
    {
        using var noise = new NoiseAddress(layout, 420, Dtype.Float16, NoiseStream.Initial, new StateShape(3, 32, 32), 128).Open();
        Assert.Equal(3 * 32 * 32 * 2, noise.RowBytes);
    }
}

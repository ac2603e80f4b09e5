using Taba.Diffusion.Metrics.PlainAreas;

namespace Taba.Diffusion.Tests.Metrics.PlainAreas;

public sealed class BicubicResizeTests
{
    [Theory]
    [InlineData(8, 8)]
    [InlineData(8, 3)]
    [InlineData(8, 21)]
    public void Apply_FlatImage_StaysFlat(int from, int to)
    {
        var resized = new float[2 * to * to];
        new BicubicResize(new StateShape(2, from, from), to, to).Apply(Enumerable.Repeat(0.7f, 2 * from * from).ToArray(), resized);
        Assert.All(resized, value => Assert.Equal(0.7f, value, 1e-6f));
    }

    [Fact]
    public void Apply_SameSize_IsTheImage()
    {
        var image = AnalysisRows.Normal(1, 3 * 5 * 7);
        var resized = new float[image.Length];
        new BicubicResize(new StateShape(3, 5, 7), 5, 7).Apply(image, resized);
        Assert.Equal(image, resized);
    }

    [Fact]
    public void Apply_Ramp_IsARampAwayFromTheBorders()
    {
        // Pixel i of 32 stands for 4 of 128: centre (i + ½)·4 - ½. Cubic convolution is exact for straight lines.
        var resized = new float[32 * 2];
        float[] ramp = [.. Enumerable.Range(0, 2 * 128).Select(i => (float)(i % 128))];
        new BicubicResize(new StateShape(1, 2, 128), 2, 32).Apply(ramp, resized);
        for (var i = 2; i < 30; i++)
            Assert.Equal(((i + 0.5) * 4) - 0.5, resized[i], 1e-4);
    }

    [Fact]
    public void Apply_HalfTheSize_HasTheKnownWeights()
    {
        // Twice as wide, the kernel is sampled at ¼, ¾, 1¼ and 1¾: (111, 29, -9, -3)/256 on each side.
        var resized = new float[8];
        var image = new float[16];
        image[7] = 1;
        new BicubicResize(new StateShape(1, 1, 16), 1, 8).Apply(image, resized);
        Assert.Equal([0, 0, -9, 111, 29, -3, 0, 0], resized.Select(v => (int)Math.Round(v * 256)).ToArray());
    }
}

using Taba.Diffusion.Sampling;

namespace Taba.Diffusion.Tests.Sampling;

public sealed class ForwardDiffusionTests
{
    [Fact]
    public void Apply_AtTheEnds_GivesTheImageAndTheNoise()
    {
        float[] x = [.. Enumerable.Range(0, 37).Select(i => i / 10f)];
        float[] noise = [.. Enumerable.Range(0, 37).Select(i => -i / 7f)];
        var result = new float[37];

        ForwardDiffusion.Apply(x, noise, 1, result);
        Assert.Equal(x, result);
        ForwardDiffusion.Apply(x, noise, 0, result);
        Assert.Equal(noise, result);
    }

    [Fact]
    public void Apply_InPlace_GivesWhatApplyElsewhereGives()
    {
        float[] x = [.. Enumerable.Range(0, 37).Select(i => i / 10f)];
        float[] noise = [.. Enumerable.Range(0, 37).Select(i => -i / 7f)];
        var elsewhere = new float[37];

        ForwardDiffusion.Apply(x, noise, 0.3, elsewhere);
        ForwardDiffusion.Apply(x, noise, 0.3, x);

        Assert.Equal(elsewhere, x);
        Assert.Equal((float)((Math.Sqrt(0.3) * 3.6) - (Math.Sqrt(0.7) * 36 / 7)), x[36], 1e-6f);
    }

    [Fact]
    public void Apply_OfUnequalLengthsOrAnImpossibleLevel_Throws()
    {
        Assert.Throws<ArgumentException>(() => ForwardDiffusion.Apply(new float[4], new float[3], 0.5, new float[4]));
        Assert.Throws<ArgumentException>(() => ForwardDiffusion.Apply(new float[4], new float[4], 0.5, new float[3]));
        Assert.Throws<ArgumentOutOfRangeException>(() => ForwardDiffusion.Apply(new float[4], new float[4], double.NaN, new float[4]));
    }
}

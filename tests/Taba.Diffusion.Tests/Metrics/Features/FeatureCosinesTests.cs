using Taba.Diffusion.Metrics.Features;

namespace Taba.Diffusion.Tests.Metrics.Features;

public sealed class FeatureCosinesTests
{
    // Cosines 1, 0, -1 and 0.6.
    static readonly float[] s_first = [2, 0, 0, 3, 1, 1, 5, 0];
    static readonly float[] s_second = [7, 0, 1, 0, -4, -4, 3, 4];

    [Fact]
    public void Cosines_OfKnownAngles_AreTheirs()
    {
        var cosines = new FeatureCosines();
        cosines.Add(s_first, s_second, 2);

        Assert.Equal(4, cosines.Count);
        Assert.Equal(0.15, cosines.Cosine.Mean, 1e-12);
        Assert.Equal(0.85, cosines.Distance.Mean, 1e-12);
        double[] of = [1, 0, -1, 0.6];
        Assert.Equal(Math.Sqrt(of.Sum(c => (c - 0.15) * (c - 0.15)) / 3), cosines.Cosine.Std, 1e-12);
        Assert.Equal(cosines.Cosine.Std, cosines.Distance.Std);

        // CLIPScore: 2.5, 0, 0 and 1.5, with the population's deviation.
        Assert.Equal(1, cosines.ClipScore.Mean, 1e-12);
        Assert.Equal(Math.Sqrt((2.25 + 1 + 1 + 0.25) / 4), cosines.ClipScore.Std, 1e-12);
    }

    [Fact]
    public void Cosines_OfAZero_AreZeroAndNotNothing()
    {
        var cosines = new FeatureCosines();
        cosines.Add([0, 0, 0], [1, 2, 3], 3);

        Assert.Equal(0, cosines.Cosine.Mean);
    }

    [Fact]
    public void Parts_SavedAndMerged_AreTheWhole()
    {
        var whole = new FeatureCosines();
        whole.Add(s_first, s_second, 2);
        var (head, tail) = (new FeatureCosines(), new FeatureCosines());
        head.Add(s_first.AsSpan(0, 6), s_second.AsSpan(0, 6), 2);
        tail.Add(s_first.AsSpan(6), s_second.AsSpan(6), 2);
        var merged = SavedParts.Merged(head, tail);

        Assert.Equal(whole.Count, merged.Count);
        Assert.Equal(whole.Cosine.Mean, merged.Cosine.Mean, 1e-12);
        Assert.Equal(whole.ClipScore.Std, merged.ClipScore.Std, 1e-12);
        SavedParts.AssertRefusesDamage(whole);
        Assert.Throws<ArgumentException>(() => whole.Add([1, 2], [1, 2, 3, 4], 2));
        Assert.Throws<ArgumentException>(() => whole.Add([1, 2, 3], [1, 2, 3], 2));
    }
}

using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Diffusion.Tests.Metrics.Uncertainty;

/// <summary>How often intervals hold what they are of: the numbers of docs/design/uncertainty.md.</summary>
public sealed class CoverageTests(ITestOutputHelper output)
{
    const int Trials = 400;

    /// <summary>Four patches, so that a few hundred trials take seconds.</summary>
    static readonly StateShape s_small = new(1, 16, 16);

    static readonly StateShape s_sixteenPatches = new(1, 32, 32);

    static readonly Dictionary<(int Rows, int Trial), Jackknife> s_noise = [];

    [Theory]
    [InlineData(64)]
    [InlineData(256)]
    public void Bootstrap_OfErrorsWithAKnownMean_CoversIt(int rows)
    {
        var expected = Math.Sqrt(2 / Math.PI);
        var held = 0;
        for (var trial = 0; trial < 1000; trial++)
        {
            var bootstrap = new PoissonBootstrap(seed: (uint)trial);
            foreach (var value in Gaussians.White(new(1, 1, 1), rows, trial))
                bootstrap.Add(Math.Abs((double)value));
            held += bootstrap.Interval().Holds(expected) ? 1 : 0;
        }
        AssertCovers(held, 1000, $"bootstrap, N = {rows}");
    }

    [Theory]
    [InlineData(64, 0.8f, 0f)]
    [InlineData(256, 0.8f, 0f)]
    [InlineData(64, 0f, 0.8f)]
    [InlineData(256, 0f, 0.8f)]
    public void Jackknife_OfAKnownCorrelation_CoversItsMeanAtThatN(int rows, float blur, float factor)
    {
        var (correlated, above) = Trialled(rows, blur, factor);
        AssertCovers(Held(correlated, c => c.OfCorrelation), Trials, $"correlation, N = {rows}, blur {blur}, factor {factor}");
        var told = Told(Held(above, a => a.Interval), Trials, $"above its noise, N = {rows}, blur {blur}, factor {factor}");
        Assert.InRange(told, 0.92, 0.99);
        Assert.All(above, a => Assert.True(a.Interval.Low > 0, "it is far above the floor"));
    }

    /// <summary>Where true correlations are no stronger than the floor, the interval is wide: never too short, often too long.</summary>
    [Theory]
    [InlineData(64, 0.3f)]
    [InlineData(256, 0.15f)]
    public void Jackknife_NearTheFloor_CoversAtLeastAsOften(int rows, float blur)
    {
        var (correlated, above) = Trialled(rows, blur, 0);
        Assert.InRange(Told(Held(correlated, c => c.OfCorrelation), Trials, $"correlation, N = {rows}, blur {blur}"), 0.92, 1);
        Assert.InRange(Told(Held(above, a => a.Interval), Trials, $"above its noise, N = {rows}, blur {blur}"), 0.92, 1);
    }

    /// <summary>The jackknife is wide here, and so it seldom sees a difference that is not there.</summary>
    [Theory]
    [InlineData(64)]
    [InlineData(256)]
    public void Jackknife_OfNoiseAboveOtherNoise_ExcludesZeroInAtMostOneOfTwenty(int rows)
    {
        var held = 0;
        for (var trial = 0; trial < Trials; trial++)
        {
            held += OfNoise(rows, trial).Minus(OfNoise(rows, (trial + 1) % Trials)).Interval.Holds(0) ? 1 : 0;
        }
        Assert.InRange(Told(held, Trials, $"noise above other noise, N = {rows}"), 0.95, 1);
    }

    [Theory]
    [InlineData(64)]
    [InlineData(256)]
    public void OfNoise_WhiteNoise_CoversTheFloorAtThatN(int rows)
    {
        var found = Enumerable.Range(0, Trials).Select(trial => Measure(s_sixteenPatches, Gaussians.White(s_sixteenPatches, rows, trial)))
            .Select(c => (c.Summary.Mean, Interval: c.OfNoise(c.Summary.Mean)!.Value)).ToList();
        var floor = found.Average(f => f.Mean);
        AssertCovers(found.Count(f => f.Interval.Holds(floor)), Trials, $"noise floor, N = {rows}");
    }

    [Fact]
    public void Student_OfFiveSeeds_CoversTheirMean()
    {
        var held = Enumerable.Range(0, 4 * Trials).Count(trial => StudentInterval.Of(
            [.. Gaussians.White(new(1, 1, 5), 1, trial).Select(v => 3.0 + v)]).Interval!.Value.Holds(3));
        AssertCovers(held, 4 * Trials, "seeds, n = 5");
    }

    [Fact]
    public void Jackknife_OfADeviation_CoversIt()
    {
        var held = 0;
        for (var trial = 0; trial < Trials; trial++)
        {
            var means = new GroupedMeans(64, 2);
            foreach (var value in Gaussians.White(new(1, 1, 1), 64, trial))
                means.Add(value, (double)value * value);
            held += means.Compute(m => m[1] - m[0] * m[0])!.Interval.Holds(1 - 1 / 64.0) ? 1 : 0;
        }
        AssertCovers(held, Trials, "variance, N = 64");
    }

    /// <summary>The noise of a trial, measured once for all cases.</summary>
    static Jackknife OfNoise(int rows, int trial)
    {
        if (!s_noise.TryGetValue((rows, trial), out var known))
            s_noise[(rows, trial)] = known = Measure(s_small, Gaussians.White(s_small, rows, trial)).Jackknife!;
        return known;
    }

    static int Held(List<Jackknife> found, Func<Jackknife, Interval> intervalOf)
    {
        var mean = found.Average(f => f.Value);
        return found.Count(f => intervalOf(f).Holds(mean));
    }

    static GroupedCorrelation Measure(StateShape shape, float[] values)
    {
        using var correlation = new CorrelationGroups(shape, values.Length / shape.Elements);
        correlation.Add(values);
        return correlation.Compute();
    }

    static (List<Jackknife> Correlated, List<Jackknife> Above) Trialled(int rows, float blur, float factor)
    {
        var correlated = new List<Jackknife>();
        var above = new List<Jackknife>();
        for (var trial = 0; trial < Trials; trial++)
        {
            var white = Gaussians.White(s_small, rows, trial);
            var latents = Gaussians.WithFactor(s_small, Gaussians.Blurred(s_small, white, blur), factor, 100_000 + trial);
            correlated.Add(Measure(s_small, latents).Jackknife!);
            above.Add(correlated[^1].Minus(OfNoise(rows, trial)));
        }
        return (correlated, above);
    }

    void AssertCovers(int held, int of, string what) => Assert.InRange(Told(held, of, what), 0.92, 0.98);

    double Told(int held, int of, string what)
    {
        output.WriteLine($"{what}: {100.0 * held / of:0.0} %");
        return (double)held / of;
    }
}

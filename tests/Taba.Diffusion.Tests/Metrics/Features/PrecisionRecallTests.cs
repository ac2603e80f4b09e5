using Taba.Diffusion.Metrics;
using Taba.Diffusion.Metrics.Features;
using static Taba.Diffusion.Tests.Metrics.SavedParts;

namespace Taba.Diffusion.Tests.Metrics.Features;

public sealed class PrecisionRecallTests
{
    [Fact]
    public void Compute_OfACollapsedModel_HasPrecisionWithoutRecall()
    {
        // All that it makes lies in one corner of the reference. By position instead of role the two would be swapped.
        var (reference, generated) = (Uniform(400, 1, 0, 1), Uniform(200, 2, 0.4f, 0.5f));
        var shares = Measure(reference, generated);
        Assert.True(shares.Precision > 0.9);
        Assert.InRange(shares.Recall, 0, 0.15);
        Assert.Equal(2 * shares.Precision * shares.Recall / (shares.Precision + shares.Recall), shares.FScore, 1e-12);
    }

    [Fact]
    public void Compute_OfAModelThatMakesMoreThanThereIs_HasRecallWithoutPrecision()
    {
        var shares = Measure(Uniform(200, 2, 0.4f, 0.5f), Uniform(400, 1, 0, 1));
        Assert.True(shares.Recall > 0.9);
        Assert.InRange(shares.Precision, 0, 0.15);
    }

    [Fact]
    public void Compute_IsThatOfPlainLoops()
    {
        var (reference, generated) = (Uniform(60, 1, 0, 1), Uniform(50, 2, 0.2f, 1.3f));
        var (radii, others) = (Plain(reference, 60), Plain(generated, 50));
        var shares = Measure(reference, generated);
        Assert.Equal(Share(generated, 50, reference, radii), shares.Precision, 1e-12);
        Assert.Equal(Share(reference, 60, generated, others), shares.Recall, 1e-12);
        Assert.InRange(shares.Precision, 0.05, 0.95);

        static double[] Plain(IRowAccess set, int n) => [.. Enumerable.Range(0, n).Select(
            i => Enumerable.Range(0, n).Select(j => Distance(set, i, set, j)).Order().ElementAt(3))];

        static double Share(IRowAccess rows, int n, IRowAccess centres, double[] radii) => Enumerable.Range(0, n).Average(
            i => Enumerable.Range(0, radii.Length).Any(j => Distance(rows, i, centres, j) <= radii[j]) ? 1.0 : 0);
    }

    [Fact]
    public void Compute_OfSavedParts_IsTheWhole()
    {
        var (reference, generated) = (Uniform(60, 1, 0, 1), Uniform(50, 2, 0.2f, 1.3f));
        var radii = Merged(Radii(reference, 0, 7), Radii(reference, 7, 0), Radii(reference, 7, 53));
        Assert.Equal(Radii(reference, 0, 60).Squared, radii.Squared);
        var others = Merged(Radii(generated, 0, 30), Radii(generated, 30, 20));

        var (first, second) = (new PrecisionRecall(), new PrecisionRecall());
        first.AddGenerated(generated, 0, 11, reference, radii);
        first.AddReference(reference, 0, 60, generated, others);
        second.AddGenerated(generated, 11, 39, reference, radii);
        Assert.Equal(Measure(reference, generated), Merged(first, second).Compute());
        AssertRefusesDamage(first);
        AssertRefusesDamage(radii);
    }

    [Fact]
    public void Merge_OfRadiiThatDoNotFollow_Throws()
    {
        var reference = Uniform(20, 1, 0, 1);
        Assert.Throws<ArgumentException>(() => Radii(reference, 0, 7).Merge(Radii(reference, 8, 12)));
        Assert.Throws<ArgumentException>(
            () => new PrecisionRecall().AddGenerated(reference, 0, 20, reference, Radii(reference, 0, 19)));
        Assert.Throws<ArgumentException>(() => Radii(Uniform(3, 1, 0, 1), 0, 3));
    }

    [Fact]
    public void InceptionScore_OfSureAndEvenClasses_IsTheirNumber()
    {
        // Each row is sure of one of 4 classes, and a split of 40 rows has each about as often.
        var logits = Enumerable.Range(0, 400).SelectMany(i => Enumerable.Range(0, 4).Select(c => c == i % 4 ? 100f : 0)).ToArray();
        var score = Score(logits, 400, 4);
        Assert.InRange(score.Mean, 3.7, 4);
        Assert.Equal(1, Score(new float[400 * 4], 400, 4).Mean, 1e-12);
    }

    [Fact]
    public void InceptionScore_IsThatOfPlainLoopsOverNumpysPermutation()
    {
        var random = new Random(1);
        var logits = Enumerable.Range(0, 103 * 5).Select(_ => (float)(6 * random.NextDouble())).ToArray();
        var order = new Taba.Diffusion.Randomness.NumpyRandomState(2020).PermutationHead(103, 103);
        var scores = Enumerable.Range(0, 10).Select(split =>
        {
            var rows = order[(split * 103 / 10)..((split + 1) * 103 / 10)].Select(row =>
            {
                var powers = logits[((int)row * 5)..(((int)row + 1) * 5)].Select(value => Math.Exp(value)).ToArray();
                return powers.Select(power => power / powers.Sum()).ToArray();
            }).ToArray();
            var mean = Enumerable.Range(0, 5).Select(c => rows.Average(row => row[c])).ToArray();
            return Math.Exp(rows.Average(row => row.Zip(mean, (p, q) => p * (Math.Log(p) - Math.Log(q))).Sum()));
        }).ToArray();
        var score = Score(logits, 103, 5);
        Assert.Equal(scores.Average(), score.Mean, 1e-12);
        Assert.Equal(Math.Sqrt(scores.Average(value => Math.Pow(value - scores.Average(), 2))), score.Std, 1e-12);
    }

    [Fact]
    public void InceptionScore_OfSavedParts_IsTheWhole()
    {
        var random = new Random(1);
        var logits = Enumerable.Range(0, 103 * 5).Select(_ => (float)(6 * random.NextDouble())).ToArray();
        var parts = new[] { (0, 50), (50, 0), (50, 53) }.Select(part =>
        {
            var score = new InceptionScore(103, 5, part.Item1);
            score.Add(logits.AsSpan(part.Item1 * 5, part.Item2 * 5));
            return score;
        }).ToArray();
        var (whole, merged) = (Score(logits, 103, 5), Merged(parts).Compute());
        Assert.Equal(whole.Mean, merged.Mean, 1e-12);
        Assert.Equal(whole.Std, merged.Std, 1e-12);
        AssertRefusesDamage(parts[2]);
        Assert.Throws<InvalidOperationException>(() => parts[0].Compute());
        Assert.Throws<ArgumentException>(() => parts[2].Merge(parts[0]));
        Assert.Throws<ArgumentOutOfRangeException>(() => parts[2].Add(logits.AsSpan(0, 5)));
    }

    static MeanStd Score(float[] logits, int rows, int classes)
    {
        var score = new InceptionScore(rows, classes);
        score.Add(logits);
        return score.Compute();
    }

    static PrecisionRecallShares Measure(RowsInMemory reference, RowsInMemory generated)
    {
        var shares = new PrecisionRecall();
        shares.AddGenerated(generated, 0, generated.Rows, reference, Radii(reference, 0, reference.Rows));
        shares.AddReference(reference, 0, reference.Rows, generated, Radii(generated, 0, generated.Rows));
        return shares.Compute();
    }

    static ManifoldRadii Radii(RowsInMemory set, long first, long count)
    {
        var radii = new ManifoldRadii(first);
        radii.Measure(set, count);
        return radii;
    }

    static RowsInMemory Uniform(int rows, int seed, float from, float to)
    {
        var random = new Random(seed);
        return new(Enumerable.Range(0, rows * 2).Select(_ => from + ((to - from) * random.NextSingle())).ToArray(), 2);
    }

    static double Distance(IRowAccess a, int i, IRowAccess b, int j)
    {
        var (x, y) = (new float[2], new float[2]);
        a.Read(i, x);
        b.Read(j, y);
        return x.Zip(y, (p, q) => Math.Pow((double)p - q, 2)).Sum();
    }
}

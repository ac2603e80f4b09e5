using System.Diagnostics;
using System.Runtime.InteropServices;
using Taba.Diffusion.Metrics.Features;
using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Bench;

/// <summary>The Fréchet distance of two sets of features that are drawn from Gaussians, beside the closed form of those.</summary>
sealed class FidBench(int rows, int dimensions)
{
    const int RowsAtOnce = 1024;

    public int Run()
    {
        var (a, b) = (Gaussian(0, 1), Gaussian(0.1, 1.5));
        var closed = a.Mean.Zip(b.Mean, (x, y) => (x - y) * (x - y)).Sum() + a.Std.Zip(b.Std, (x, y) => (x - y) * (x - y)).Sum();
        Console.WriteLine($"{rows} rows of {dimensions} features, closed form {closed:G8}");
        Console.WriteLine("| features | distance | over closed form | seconds |");
        Console.WriteLine("|---|---|---|---|");
        Show("of exactly these moments", closed, () => FrechetDistance.Between(Moments(Exact(a, 1)), Moments(Exact(b, 2))));
        var whole = Show("drawn", closed, () => FrechetDistance.Between(Moments(Drawn(a, 3, rows)), Moments(Drawn(b, 4, rows))));
        var half = Show("half of the rows", closed, () => FrechetDistance.Between(
            Moments(Drawn(a, 3, rows / 2)), Moments(Drawn(b, 4, rows / 2))));
        Show("drawn, without end: twice the first less the second", closed, () => (2 * whole) - half);
        return 0;
    }

    static double Show(string what, double closed, Func<double> measure)
    {
        var clock = Stopwatch.StartNew();
        var found = measure();
        Console.WriteLine($"| {what} | {found:G8} | {(found / closed) - 1:E1} | {clock.Elapsed.TotalSeconds:F1} |");
        return found;
    }

    /// <summary>Independent features whose deviations fall off, as those of networks do.</summary>
    (double[] Mean, double[] Std) Gaussian(double mean, double factor) => (
        [.. Enumerable.Range(0, dimensions).Select(i => mean * Math.Cos(i))],
        [.. Enumerable.Range(0, dimensions).Select(i => factor / (1 + (i / 200.0)) * (1 + (0.2 * Math.Sin(factor * i))))]);

    GaussianMoments Moments(IEnumerable<float[]> features)
    {
        var moments = new GaussianMoments(dimensions);
        foreach (var some in features)
            moments.Add(some);
        return moments;
    }

    IEnumerable<float[]> Drawn((double[] Mean, double[] Std) gaussian, ulong seed, int count)
    {
        using var generator = new Generator(seed);
        for (var at = 0; at < count; at += RowsAtOnce)
        {
            using var scope = NewDisposeScope();
            var normal = randn([Math.Min(RowsAtOnce, count - at), dimensions], ScalarType.Float64, generator: generator);
            yield return Scaled(normal, gaussian);
        }
    }

    /// <summary>Rows whose own mean and covariance are the Gaussian's.</summary>
    IEnumerable<float[]> Exact((double[] Mean, double[] Std) gaussian, ulong seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed);
        var x = randn([rows, dimensions], ScalarType.Float64, generator: generator);
        x.sub_(x.mean([0], keepdim: true));
        using var divisor = (rows - 1).ToScalar();
        var root = linalg.cholesky(x.t().matmul(x).div_(divisor));
        var white = linalg.solve(root, x.t()).t().contiguous();
        for (var at = 0; at < rows; at += RowsAtOnce)
            yield return Scaled(white.narrow(0, at, Math.Min(RowsAtOnce, rows - at)), gaussian);
    }

    static float[] Scaled(Tensor normal, (double[] Mean, double[] Std) gaussian)
    {
        using var scope = NewDisposeScope();
        var features = normal.mul(tensor(gaussian.Std)).add(tensor(gaussian.Mean), Scalars.One).to(ScalarType.Float32).contiguous();
        return MemoryMarshal.Cast<byte, float>(features.bytes).ToArray();
    }
}

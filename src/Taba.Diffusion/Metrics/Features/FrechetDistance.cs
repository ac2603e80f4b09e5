using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Taba.Diffusion.Metrics.Features;

/// <summary>
/// Distance of two sets of features taken to be Gaussian (Dowson and Landau 1982; of Inception features: FID, Heusel et al. 2017):
/// |μ1 - μ2|² + tr(S1 + S2 - 2·(S1·S2)^½). Not below 0; its unit is the features' squared.
/// </summary>
/// <remarks>
/// The trace of the root is the sum of the singular values of F1ᵀ·F2 with S = F·Fᵀ from the eigenvectors of S. That exists for singular
/// covariances (fewer rows than features) too, where upstream's libraries take a root of a product without one, with 1e-6 on the diagonal
/// when it fails. Eigenvalues that rounding alone can have made are taken to be 0. It costs two symmetric eigenproblems and one of singular
/// values of D x D, by libtorch, and five matrices of that size (168 MB for D = 2048).
/// </remarks>
public static class FrechetDistance
{
    const double MachineEpsilon = 1.0 / (1L << 52);

    /// <summary>Measures two sets.</summary>
    /// <exception cref="ArgumentException">Features have other lengths, or a set has fewer than two rows.</exception>
    public static double Between(GaussianMoments a, GaussianMoments b)
    {
        ArgumentNullException.ThrowIfNull(a);
        ArgumentNullException.ThrowIfNull(b);
        if (a.Count < 2 || b.Count < 2)
            throw new ArgumentException($"The Fréchet distance needs two rows or more of each set; there are {a.Count} and {b.Count}.");
        return Between(a.Mean, a.Covariance(), b.Mean, b.Covariance());
    }

    /// <summary>Measures two Gaussians, as files of statistics have them (mu, sigma).</summary>
    /// <param name="meanA">[D].</param>
    /// <param name="covarianceA">[D,D], symmetric.</param>
    /// <param name="meanB">[D].</param>
    /// <param name="covarianceB">[D,D], symmetric.</param>
    /// <returns>The distance; NaN where a number is no number.</returns>
    /// <exception cref="ArgumentException">Lengths do not agree.</exception>
    public static double Between(
        ReadOnlySpan<double> meanA, ReadOnlySpan<double> covarianceA, ReadOnlySpan<double> meanB, ReadOnlySpan<double> covarianceB)
    {
        var d = meanA.Length;
        if (meanB.Length != d || covarianceA.Length != (long)d * d || covarianceB.Length != (long)d * d)
            throw new ArgumentException(
                $"Means of {d} and {meanB.Length} features with covariances of {covarianceA.Length} and {covarianceB.Length} values do not "
                + "agree.");

        var distance = 0.0;
        for (var i = 0; i < d; i++)
        {
            var shift = meanA[i] - meanB[i];
            distance += (shift * shift) + covarianceA[(i * d) + i] + covarianceB[(i * d) + i];
        }

        if (!double.IsFinite(distance) || !AllFinite(covarianceA) || !AllFinite(covarianceB))
            return double.NaN;

        using var scope = NewDisposeScope();
        var overlap = linalg.svdvals(Factor(covarianceA, d).t().matmul(Factor(covarianceB, d)));
        using var sum = overlap.sum();
        return Math.Max(0, distance - (2 * sum.item<double>()));
    }

    static bool AllFinite(ReadOnlySpan<double> values)
    {
        foreach (var value in values)
        {
            if (!double.IsFinite(value))
                return false;
        }

        return true;
    }

    /// <summary>F with S = F·Fᵀ: eigenvectors times the roots of their eigenvalues.</summary>
    static Tensor Factor(ReadOnlySpan<double> covariance, int d)
    {
        using var scope = NewDisposeScope();
        var matrix = empty([d, d], ScalarType.Float64, CPU);
        covariance.CopyTo(MemoryMarshal.Cast<byte, double>(matrix.bytes));
        var (values, vectors) = linalg.eigh(matrix);
        var roots = values.clone();
        var span = MemoryMarshal.Cast<byte, double>(roots.bytes);

        // The largest is the last.
        var least = d * MachineEpsilon * Math.Max(0, span[^1]);
        foreach (ref var value in span)
            value = value > least ? Math.Sqrt(value) : 0;
        GC.KeepAlive(roots);
        return vectors.mul(roots).MoveToOuterDisposeScope();
    }
}

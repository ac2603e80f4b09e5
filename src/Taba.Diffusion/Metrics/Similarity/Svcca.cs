using MathNet.Numerics.Distributions;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;
using MathNet.Numerics.Random;

namespace Taba.Diffusion.Metrics.Similarity;

/// <summary>
/// Singular vector canonical correlation (Raghu et al. 2017): the mean canonical correlation of the leading q left singular vectors of two
/// sets of features, standardised by column. Between 0 and 1.
/// </summary>
/// <remarks>
/// Upstream finds the vectors by a randomised subspace iteration from an unseeded generator (torch.svd_lowrank, Halko et al. 2009,
/// algorithm 5.1, two iterations) and the correlations by scikit-learn's iteration, so its value differs from run to run where the
/// spectrum is flat. The same iteration is done here with a seed, and the correlations exactly, so the value is repeatable; with more
/// iterations it approaches that of the true singular vectors. Rows are read 2·iterations + 3 times, in blocks; (N + D)·q numbers are
/// kept. It is no sum over rows and cannot be measured in parts.
/// </remarks>
public static class Svcca
{
    /// <summary>Upstream's q (cca_dim).</summary>
    public const int DefaultDimensions = 10;

    /// <summary>Those of torch.svd_lowrank.</summary>
    public const int DefaultIterations = 2;

    // Where upstream keeps a column that does not vary from 0/0.
    const double Epsilon = 1e-8;

    /// <summary>The mean of the q canonical correlations.</summary>
    /// <param name="x">All rows of one set.</param>
    /// <param name="y">As many rows of the other; they may be longer or shorter.</param>
    /// <param name="dimensions">q, from 1 to the number of rows and of values of a row.</param>
    /// <param name="iterations">Of the subspace, 0 or more.</param>
    /// <param name="seed">Of its beginning.</param>
    /// <param name="cancellation">Ends the work between two blocks.</param>
    /// <exception cref="ArgumentException">Numbers of rows differ, or there is less than q of something.</exception>
    public static double Compute(
        IRowAccess x,
        IRowAccess y,
        int dimensions = DefaultDimensions,
        int iterations = DefaultIterations,
        int seed = 0,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(x);
        ArgumentNullException.ThrowIfNull(y);
        ArgumentOutOfRangeException.ThrowIfLessThan(dimensions, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(iterations);
        if (x.Rows != y.Rows)
            throw new ArgumentException($"SVCCA needs as many rows of one set as of the other: these are {x.Rows} and {y.Rows}.");
        if (Math.Min(x.Rows, Math.Min(x.RowLength, y.RowLength)) < dimensions)
            throw new ArgumentException(
                $"SVCCA with {dimensions} dimensions needs as many rows and values; there are {x.Rows} rows of {x.RowLength} and "
                + $"{y.RowLength}.");

        var random = new MersenneTwister(seed);
        var u = Leading(x, dimensions, iterations, random, cancellation);
        var v = Leading(y, dimensions, iterations, random, cancellation);
        return u.TransposeThisAndMultiply(v).Svd(computeVectors: false).S.Average(value => Math.Min(1, value));
    }

    /// <summary>An orthonormal basis [N,q] of about the leading left singular vectors.</summary>
    static Matrix<double> Leading(IRowAccess rows, int q, int iterations, RandomSource random, CancellationToken cancellation)
    {
        var columns = ColumnScale.Of(rows, Epsilon, cancellation);
        var start = Matrix<double>.Build.Random(checked((int)rows.Rows), q, new Normal(0, 1, random));
        var basis = Orthonormal(FromRows(start));
        for (var i = 0; i < iterations; i++)
            basis = Orthonormal(FromRows(ToRows(basis)));
        return Orthonormal(ToRows(basis));

        // Zᵀ·(Z·W) needs no orthonormal basis between: in float64 q columns stay apart over one product.
        Matrix<double> FromRows(Matrix<double> left)
        {
            var product = Matrix<double>.Build.Dense(rows.RowLength, q);
            foreach (var (range, block) in columns.Blocks(rows, cancellation))
                product += block.TransposeThisAndMultiply(left.SubMatrix((int)range.First, range.Count, 0, q));
            return product;
        }

        Matrix<double> ToRows(Matrix<double> right)
        {
            var product = Matrix<double>.Build.Dense((int)rows.Rows, q);
            foreach (var (range, block) in columns.Blocks(rows, cancellation))
                product.SetSubMatrix((int)range.First, 0, block * right);
            return product;
        }
    }

    static Matrix<double> Orthonormal(Matrix<double> columns) => columns.QR(QRMethod.Thin).Q;
}

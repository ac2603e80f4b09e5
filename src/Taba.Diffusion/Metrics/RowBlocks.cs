using System.Buffers;
using System.Runtime.InteropServices;
using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Metrics;

/// <summary>
/// Blocks of rows in float64 and the products of two blocks, by libtorch: N²·D multiplications are what analyses of pairs of rows cost.
/// A block of queries is compared with one block of candidates after the other, so that about 256 MiB are held whatever N and D.
/// </summary>
static class RowBlocks
{
    const long QueryBytes = 96L << 20;
    const long CandidateBytes = 32L << 20;
    const int MostRows = 1024;

    /// <summary>Takes squared distances or products of all queries of a block with all candidates of a block, row-major.</summary>
    internal delegate void Take(RowSection queries, RowSection candidates, ReadOnlySpan<double> values);

    /// <summary>Calls back with the squared Euclidean distances of rows, blocks of queries outside, candidates in order inside.</summary>
    internal static void SquaredDistances(
        IRowAccess queries, RowSection of, IRowAccess candidates, RowSection to, Take take, CancellationToken cancellation)
    {
        CheckLengths(queries, candidates);
        foreach (var outer in of.Blocks(QueryRows(queries.RowLength)))
        {
            using var scope = NewDisposeScope();
            var block = Read(queries, outer);
            foreach (var inner in to.Blocks(CandidateRows(queries.RowLength)))
            {
                cancellation.ThrowIfCancellationRequested();
                using var pair = NewDisposeScope();
                var distances = SquaredDistances(block, Read(candidates, inner));
                take(outer, inner, Values(distances));
            }
        }
    }

    internal static int QueryRows(int rowLength) => (int)Math.Clamp(QueryBytes / ((long)rowLength * sizeof(double)), 1, MostRows);

    internal static int CandidateRows(int rowLength) =>
        (int)Math.Clamp(CandidateBytes / ((long)rowLength * sizeof(double)), 1, MostRows);

    /// <summary>Rows as [n,D] in float64. To be called inside a dispose scope.</summary>
    internal static Tensor Read(IRowAccess rows, RowSection range) => Read(rows, range.Count, i => range.First + i);

    /// <summary>Rows of any order. To be called inside a dispose scope.</summary>
    internal static Tensor Read(IRowAccess rows, long[] which) => Read(rows, which.Length, i => which[i]);

    static Tensor Read(IRowAccess rows, int count, Func<int, long> which)
    {
        var wide = empty([count, rows.RowLength], ScalarType.Float64, CPU);
        var doubles = MemoryMarshal.Cast<byte, double>(wide.bytes);
        var buffer = ArrayPool<float>.Shared.Rent(rows.RowLength);
        try
        {
            var row = buffer.AsSpan(0, rows.RowLength);
            for (var i = 0; i < count; i++)
            {
                rows.Read(which(i), row);
                Widen(row, doubles.Slice(i * row.Length, row.Length));
            }
        }
        finally
        {
            ArrayPool<float>.Shared.Return(buffer);
        }

        return wide;
    }

    internal static void Widen(ReadOnlySpan<float> values, Span<double> wide)
    {
        for (var i = 0; i < values.Length; i++)
            wide[i] = values[i];
    }

    /// <summary>[n,D] and [m,D] to [n,m].</summary>
    internal static Tensor Products(Tensor a, Tensor b) => a.matmul(b.t());

    /// <summary>|a|² + |b|² - 2·a·b, not below 0: in float64, what float32 rows leave of it is exact enough.</summary>
    internal static Tensor SquaredDistances(Tensor a, Tensor b)
    {
        using var scope = NewDisposeScope();
        var products = Products(a, b);
        return products.mul_(s_minusTwo).add_(Squares(a).unsqueeze(1), Scalars.One).add_(Squares(b).unsqueeze(0), Scalars.One)
            .clamp_min_(Scalars.Zero).MoveToOuterDisposeScope();
    }

    /// <summary>[n,D] to |a|², [n], without a second [n,D].</summary>
    static Tensor Squares(Tensor a) => a.unsqueeze(1).bmm(a.unsqueeze(2)).flatten();

    /// <summary>The values of a float64 tensor, which must be held as long as they are looked at.</summary>
    internal static ReadOnlySpan<double> Values(Tensor tensor) => MemoryMarshal.Cast<byte, double>(tensor.bytes);

    internal static void CheckLengths(IRowAccess a, IRowAccess b)
    {
        if (a.RowLength != b.RowLength)
            throw new ArgumentException($"Rows of {a.RowLength} and of {b.RowLength} values cannot be compared.");
    }

    static readonly Scalar s_minusTwo = (-2).ToScalar();
}

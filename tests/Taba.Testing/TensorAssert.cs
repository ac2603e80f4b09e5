using System.Numerics;

namespace Taba.Testing;

/// <summary>Two tensors differ by more than a test allows.</summary>
public sealed class TensorMismatchException(string message) : Exception(message);

/// <summary>Compares tensors element by element.</summary>
public static class TensorAssert
{
    /// <summary>
    /// Requires |actual - expected| ≤ atol + rtol·|expected| of every element (NaN agrees with NaN only, an infinity with
    /// itself only). The message gives the worst element, its index, and how many elements fail.
    /// </summary>
    public static void Close(ReadOnlySpan<float> actual, ReadOnlySpan<float> expected, double atol, double rtol, string what) =>
        CloseCore(actual, expected, atol, rtol, what);

    /// <inheritdoc cref="Close(ReadOnlySpan{float}, ReadOnlySpan{float}, double, double, string)"/>
    public static void Close(ReadOnlySpan<double> actual, ReadOnlySpan<double> expected, double atol, double rtol, string what) =>
        CloseCore(actual, expected, atol, rtol, what);

    /// <summary>Requires the same bytes; the message gives the first that differs.</summary>
    public static void SameBytes(ReadOnlySpan<byte> actual, ReadOnlySpan<byte> expected, string what)
    {
        if (actual.Length != expected.Length)
            throw new TensorMismatchException($"{what}: {actual.Length} bytes, expected {expected.Length}.");

        var common = actual.CommonPrefixLength(expected);
        if (common < expected.Length)
            throw new TensorMismatchException(
                $"{what}: byte {common} of {expected.Length} is {actual[common]}, expected {expected[common]}.");
    }

    static void CloseCore<T>(ReadOnlySpan<T> actual, ReadOnlySpan<T> expected, double atol, double rtol, string what)
        where T : IBinaryFloatingPointIeee754<T>
    {
        if (actual.Length != expected.Length)
            throw new TensorMismatchException($"{what}: {actual.Length} elements, expected {expected.Length}.");

        var (failed, worst, worstIndex, maximum) = (0, -1.0, -1, 0.0);
        for (var i = 0; i < expected.Length; i++)
        {
            var (a, e) = (double.CreateChecked(actual[i]), double.CreateChecked(expected[i]));
            if (a == e || (double.IsNaN(a) && double.IsNaN(e)))
                continue;

            // A difference that is not finite is worse than any other.
            var difference = double.IsFinite(a - e) ? Math.Abs(a - e) : double.PositiveInfinity;
            maximum = Math.Max(maximum, difference);
            if (difference <= atol + rtol * Math.Abs(e))
                continue;

            failed++;
            if (difference > worst)
                (worst, worstIndex) = (difference, i);
        }

        if (failed > 0)
        {
            throw new TensorMismatchException(
                $"{what}: {failed} of {expected.Length} elements differ by more than {atol:g3} + {rtol:g3}·|expected|; the worst is index "
                +
                $"{worstIndex}: {actual[worstIndex]:g9}, expected {expected[worstIndex]:g9}; largest difference {maximum:g4}.");
        }
    }
}

using Taba.Diffusion.Metrics.Sums;

namespace Taba.Diffusion.Metrics.Normality;

/// <summary>
/// How many samples look normal: each row's values, or some of them, by <see cref="ShapiroWilk"/>; accepted where p is above 0.05
/// (upstream's
/// <c>stat_test_normality</c>, taba/metrics/normality.py). What is drawn of a row depends on seed and row only. Not thread-safe.
/// </summary>
/// <remarks>
/// With <see cref="NormalityDrawing.Upstream"/> the drawn values are upstream's if its global generator was seeded just before the test.
/// A script that drew anything else in between has other values; and a p-value within some 1e-7 of 0.05 may fall on the other side. A row
/// whose values are all equal has no p-value and is not accepted.
/// </remarks>
/// <param name="shape">C,H,W of a row: 3 values or more, below 2^28.</param>
/// <param name="seed">Of the draws.</param>
/// <param name="drawing">How values are drawn.</param>
/// <param name="limit">Values of a row that are tested at most, 3 to 5000.</param>
/// <param name="firstRow">The row of the whole tensor that this part begins with, 0 or more.</param>
/// <exception cref="ArgumentException">A number is out of its range.</exception>
public sealed class NormalityTest(
    StateShape shape,
    ulong seed = 0,
    NormalityDrawing drawing = NormalityDrawing.WithoutReplacement,
    int limit = ShapiroWilk.MostValues,
    long firstRow = 0) : IPartialSums<NormalityTest>
{
    /// <summary>p-values above are accepted.</summary>
    public const double Level = 0.05;

    const string Name = "taba.normality-test.1";
    const int MostOfARow = 1 << 28;

    readonly int _rowLength = RowCheck.Length(shape) < MostOfARow
        ? RowCheck.Length(shape) : throw new ArgumentException($"Rows of {shape} have too many values to draw from.", nameof(shape));

    readonly ShapiroWilk _test = new(Math.Min(limit, RowCheck.Length(shape)));

    readonly NormalityDrawing _drawing = Enum.IsDefined(drawing)
        ? drawing : throw new ArgumentOutOfRangeException(nameof(drawing), drawing, "There is no such way to draw values.");

    readonly long _firstRow = firstRow >= 0
        ? firstRow : throw new ArgumentOutOfRangeException(nameof(firstRow), firstRow, "Rows are counted from 0.");

    ValueDrawing? _values;

    long _accepted;
    long _rejected;

    /// <summary>The counts so far.</summary>
    public NormalitySummary Value => new(_accepted, _rejected);

    /// <summary>Takes in whole rows, [n,C,H,W].</summary>
    /// <exception cref="ArgumentException">Not whole rows.</exception>
    public void Add(ReadOnlySpan<float> rows)
    {
        RowCheck.Count(_rowLength, rows);
        _values ??= new ValueDrawing(_drawing, seed, _rowLength);
        var drawn = new double[_test.Count];
        for (var at = 0; at < rows.Length; at += _rowLength)
        {
            _values.Draw(_firstRow + _accepted + _rejected, rows.Slice(at, _rowLength), drawn);
            if (_test.Test(drawn).P > Level)
                _accepted++;
            else
                _rejected++;
        }
    }

    /// <inheritdoc/>
    public void Merge(NormalityTest later)
    {
        ArgumentNullException.ThrowIfNull(later);
        RowCheck.SameSettings(Settings, later.Settings);
        var next = _firstRow + _accepted + _rejected;
        if (later._firstRow != next)
            throw new ArgumentException($"The rows from {later._firstRow} on do not follow those before {next}.", nameof(later));
        _accepted += later._accepted;
        _rejected += later._rejected;
    }

    /// <inheritdoc/>
    public void Write(BinaryWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        AnalysisFormat.Begin(writer, Name, shape);
        writer.Write(seed);
        writer.Write((int)_drawing);
        writer.Write(limit);
        writer.Write(_firstRow);
        writer.Write(_accepted);
        writer.Write(_rejected);
    }

    /// <inheritdoc/>
    public static NormalityTest Read(BinaryReader reader)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return AnalysisFormat.Read(reader, Name, (input, shape) => new NormalityTest(
            shape, input.ReadUInt64(), (NormalityDrawing)input.ReadInt32(), input.ReadInt32(), input.ReadInt64())
        {
            _accepted = AnalysisFormat.ReadCount(input),
            _rejected = AnalysisFormat.ReadCount(input),
        });
    }

    (StateShape Shape, ulong Seed, NormalityDrawing Drawing, int Limit) Settings => (shape, seed, _drawing, limit);
}

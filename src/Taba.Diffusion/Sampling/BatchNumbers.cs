using System.Runtime.InteropServices;
using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Sampling;

/// <summary>
/// The <see cref="StepNumbers"/> of a batch on its device, each number a tensor [B,1,1,1] that broadcasts over a state [B,C,H,W]. Made
/// once for a batch shape and filled anew for each step.
/// </summary>
public sealed class BatchNumbers : IDisposable
{
    readonly StagedTensor _values;
    readonly Tensor[] _columns;

    /// <summary>Room for the numbers of a batch.</summary>
    /// <param name="rows">B, or 1 where all rows are at the same step.</param>
    /// <param name="device">The state's device.</param>
    /// <param name="type">Float64 or Float32: the type that <see cref="Ddim.Step"/> computes in.</param>
    public BatchNumbers(int rows, Device device, ScalarType type = ScalarType.Float64)
    {
        (Rows, Type) = (rows, type);
        using var scope = NewDisposeScope();
        _values = new StagedTensor([(int)Column.Count, rows, 1, 1, 1], type, device);
        _columns = [.. Enumerable.Range(0, (int)Column.Count).Select(column => _values.Value.select(0, column).DetachFromDisposeScope())];
    }

    /// <summary>The places of the numbers in memory, which nobody else knows.</summary>
    enum Column
    {
        SqrtAlphaBar,
        SqrtOneMinusAlphaBar,
        SqrtRecip,
        SqrtRecipM1,
        SqrtNext,
        SqrtOneMinusNext,
        Bound,
        Rederives,
        Thresholds,
        ThresholdMax,
        Count,
    }

    /// <summary>B.</summary>
    public int Rows { get; }

    /// <summary>The type of the arithmetic.</summary>
    public ScalarType Type { get; }

    /// <summary>Some row's x̂0 is clamped or thresholded.</summary>
    public bool AnyBounded { get; private set; }

    /// <summary>Some row's eps is computed again from x̂0.</summary>
    public bool AnyRederives { get; private set; }

    /// <summary>The quantile of the thresholded rows; 0 when there are none.</summary>
    public double ThresholdRatio { get; private set; }

    /// <inheritdoc cref="StepNumbers.SqrtAlphaBar"/>
    public Tensor SqrtAlphaBar => Of(Column.SqrtAlphaBar);

    /// <inheritdoc cref="StepNumbers.SqrtOneMinusAlphaBar"/>
    public Tensor SqrtOneMinusAlphaBar => Of(Column.SqrtOneMinusAlphaBar);

    /// <inheritdoc cref="StepNumbers.SqrtRecip"/>
    public Tensor SqrtRecip => Of(Column.SqrtRecip);

    /// <inheritdoc cref="StepNumbers.SqrtRecipM1"/>
    public Tensor SqrtRecipM1 => Of(Column.SqrtRecipM1);

    /// <inheritdoc cref="StepNumbers.SqrtNext"/>
    public Tensor SqrtNext => Of(Column.SqrtNext);

    /// <inheritdoc cref="StepNumbers.SqrtOneMinusNext"/>
    public Tensor SqrtOneMinusNext => Of(Column.SqrtOneMinusNext);

    /// <inheritdoc cref="StepNumbers.Bound"/>
    public Tensor Bound => Of(Column.Bound);

    /// <summary>1 where eps is computed again from x̂0, else 0.</summary>
    public Tensor Rederives => Of(Column.Rederives);

    /// <summary>1 where x̂0 is thresholded, else 0.</summary>
    public Tensor Thresholds => Of(Column.Thresholds);

    /// <inheritdoc cref="StepNumbers.ThresholdMax"/>
    public Tensor ThresholdMax => Of(Column.ThresholdMax);

    /// <summary>The numbers of these rows.</summary>
    public static BatchNumbers From(ReadOnlySpan<StepNumbers> rows, Device device, ScalarType type = ScalarType.Float64)
    {
        var numbers = new BatchNumbers(rows.Length, device, type);
        numbers.Set(rows);
        return numbers;
    }

    /// <summary>Takes over the numbers of a batch whose rows may differ in level, direction and rule.</summary>
    /// <param name="rows">One for each row.</param>
    /// <exception cref="ArgumentException">
    /// There are not B of them, or two have different threshold ratios, which rows of one model never do.
    /// </exception>
    public void Set(ReadOnlySpan<StepNumbers> rows)
    {
        if (rows.Length != Rows)
            throw new ArgumentException($"A batch of {Rows} rows needs the numbers of {Rows} rows, not of {rows.Length}.", nameof(rows));
        var (anyBounded, anyRederives, ratio) = (false, false, 0.0);
        foreach (ref readonly var row in rows)
        {
            anyBounded |= row.ThresholdRatio > 0 || !double.IsPositiveInfinity(row.Bound);
            anyRederives |= row.Rederives;
            if (row.ThresholdRatio != 0 && ratio != 0 && row.ThresholdRatio != ratio)
                throw new ArgumentException(
                    $"A batch has one dynamic thresholding ratio, not {ratio} and {row.ThresholdRatio}.", nameof(rows));
            ratio = Math.Max(ratio, row.ThresholdRatio);
        }
        (AnyBounded, AnyRederives, ThresholdRatio) = (anyBounded, anyRederives, ratio);
        for (var row = 0; row < rows.Length; row++)
        {
            ref readonly var numbers = ref rows[row];
            Put(Column.SqrtAlphaBar, row, numbers.SqrtAlphaBar);
            Put(Column.SqrtOneMinusAlphaBar, row, numbers.SqrtOneMinusAlphaBar);
            Put(Column.SqrtRecip, row, numbers.SqrtRecip);
            Put(Column.SqrtRecipM1, row, numbers.SqrtRecipM1);
            Put(Column.SqrtNext, row, numbers.SqrtNext);
            Put(Column.SqrtOneMinusNext, row, numbers.SqrtOneMinusNext);
            Put(Column.Bound, row, numbers.Bound);
            Put(Column.Rederives, row, numbers.Rederives ? 1 : 0);
            Put(Column.Thresholds, row, numbers.ThresholdRatio > 0 ? 1 : 0);
            Put(Column.ThresholdMax, row, numbers.ThresholdMax);
        }
        _values.Upload();
    }

    public void Dispose()
    {
        foreach (var column in _columns)
            column.Dispose();
        _values.Dispose();
    }

    Tensor Of(Column column) => _columns[(int)column];

    void Put(Column column, int row, double value)
    {
        var place = ((int)column * Rows) + row;
        if (Type == ScalarType.Float64)
            MemoryMarshal.Cast<byte, double>(_values.HostBytes)[place] = value;
        else
            MemoryMarshal.Cast<byte, float>(_values.HostBytes)[place] = (float)value;
    }
}

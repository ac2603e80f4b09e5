namespace Taba.Grains.Stages;

/// <summary>
/// Cuts a stage's rows into parts. The grid depends on the stage alone, never on N, the batch size or the number of silos,
/// so that every sweep that asks for the stage cuts it at the same rows.
/// </summary>
public static class PartGrid
{
    /// <summary>A part holds at most this many rows: its tail keeps one device busy for less than a minute.</summary>
    public const int MaxRows = CellGrid.Rows;

    /// <summary>A part's result stays below this many bytes, because it is held in memory while it is computed.</summary>
    public const long MaxBytes = 16L << 20;

    /// <summary>Rows of a cell of a stage's grid. What is measured goes block by block.</summary>
    public static int RowsPerPart(StageSpec spec) => spec.Measure is null ? RowsPerPart(spec.ResultShape.Bytes) : 1;

    /// <summary>Rows of a cell of the grid: a power of two.</summary>
    /// <param name="rowBytes">Bytes of one row of the state.</param>
    public static int RowsPerPart(long rowBytes)
    {
        var rows = MaxRows;
        while (rows > 1 && rows * rowBytes > MaxBytes)
            rows /= 2;
        return rows;
    }

    /// <summary>The part that begins at <paramref name="start"/>, clipped to the rows that are wanted.</summary>
    public static RowRange Clip(RowRange gap, int rowsPerPart) =>
        new(gap.Start, Math.Min(gap.End, (gap.Start / rowsPerPart + 1) * rowsPerPart));
}

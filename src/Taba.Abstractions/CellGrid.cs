namespace Taba;

/// <summary>
/// The cells of a stage: 32 rows each, from row 0 on. One document decides which attempt's objects are a cell's rows, and no part reaches
/// over a cell's border.
/// </summary>
public static class CellGrid
{
    /// <summary>Rows of a cell. Part of the store's format.</summary>
    public const int Rows = 32;

    /// <summary>First row of the cell that holds a row.</summary>
    public static int StartOf(int row) => row / Rows * Rows;

    /// <summary>The rows of the cell that begins at a row.</summary>
    public static RowRange RowsOf(int start) => new(start, start + Rows);

    /// <summary>First rows of the cells that hold any row of a range, in order.</summary>
    public static IEnumerable<int> StartsOf(RowRange rows)
    {
        for (long start = StartOf(rows.Start); start < rows.End; start += Rows)
            yield return (int)start;
    }

    /// <summary>True when rows stay within one cell.</summary>
    public static bool IsWithinOne(RowRange rows) => !rows.IsEmpty && StartOf(rows.Start) == StartOf(rows.End - 1);
}

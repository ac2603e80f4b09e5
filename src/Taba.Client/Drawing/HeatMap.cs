namespace Taba.Client.Drawing;

/// <summary>A map of cells whose colour is a value between 0 (dark) and 1 (light), which also tells on paper without colours.</summary>
/// <param name="X">What the axis below is.</param>
/// <param name="Y">What the axis at the left is.</param>
/// <param name="Low">What the dark end means.</param>
/// <param name="High">What the light end means.</param>
/// <param name="Columns">A name for each column.</param>
/// <param name="Rows">Names of the axis at the left from the bottom, at equal distances from its one end to the other.</param>
/// <param name="Values">Of each column, from the bottom, 0 to 1.</param>
sealed record HeatMap(
    string X, string Y, string Low, string High, IReadOnlyList<string> Columns, IReadOnlyList<string> Rows,
    IReadOnlyList<IReadOnlyList<double>> Values)
{
    const double Width = 360;
    const double Height = 290;
    const double Left = 74;
    const double Right = 14;
    const double Top = 38;
    const double Bottom = 44;
    const int Names = 10;
    const int Shades = 40;

    /// <summary>A row of each column that is marked; null for none.</summary>
    public IReadOnlyList<int>? Marked { get; init; }

    public Svg Draw()
    {
        var svg = new Svg(Width, Height);
        var (wide, high) = ((Width - Left - Right) / Values.Count, (Height - Top - Bottom) / Values[0].Count);
        svg.Cells(
            Values.SelectMany((column, x) => column.Select((value, y) => (Colour(value), Left + x * wide, Above(y + 1)))),
            // A hair of overlap, so that no background shows between cells.
            wide + 0.3, high + 0.3);
        var every = (Columns.Count + Names - 1) / Names;
        for (var column = 0; column < Columns.Count; column += every)
            svg.Text(Ink.Label, Left + (column + 0.5) * wide, Height - Bottom + 17, Columns[column], "middle");
        for (var row = 0; row < Rows.Count; row++)
        {
            var share = Rows.Count == 1 ? 0.5 : row / (Rows.Count - 1.0);
            svg.Text(Ink.Label, Left - 6, Height - Bottom - share * (Height - Top - Bottom - 10) - 1, Rows[row], "end");
        }
        svg.Text(Ink.Word, (Left + Width - Right) / 2, Height - 8, X, "middle");
        svg.TextUpwards(Ink.Word, 13, (Top + Height - Bottom) / 2, Y);
        for (var column = 0; column < (Marked?.Count ?? 0); column++)
            svg.Circle(
                Ink.Pointer, Left + (column + 0.5) * wide, Above(Marked![column] + 0.5), Math.Clamp(wide / 4, 1.5, 4));
        svg.Cells(Enumerable.Range(0, Shades).Select(shade => (Colour(shade / (Shades - 1.0)), 150.0 + shade * 2, 10.0)), 2.3, 12);
        svg.Text(Ink.Label, 144, 20, Low, "end");
        svg.Text(Ink.Label, 150 + Shades * 2 + 6, 20, High);
        return svg;

        double Above(double rows) => Top + (Values[0].Count - rows) * high;
    }

    /// <summary>From dark to light blue; only lightness tells, so that no eye and no printer is left out.</summary>
    static string Colour(double value)
    {
        var at = double.IsFinite(value) ? Math.Clamp(value, 0, 1) : 1;
        return $"#{Channel(0x0c, 0xf2)}{Channel(0x2c, 0xf6)}{Channel(0x54, 0xfb)}";

        string Channel(int dark, int light) => ((int)Math.Round(dark + (light - dark) * at)).ToString("x2");
    }
}

namespace Taba.Client.Drawing;

/// <summary>
/// What a mark of a drawing is for: the class by which a page colours it for its screen, and the attributes that colour it on white paper
/// where there is no page.
/// </summary>
/// <param name="Class">Of the page's style.</param>
/// <param name="Paper">Attributes of SVG; a style wins over them.</param>
readonly record struct Ink(string Class, string Paper)
{
    /// <summary>Series that can be told apart, by colour and by the shape of their marks.</summary>
    public const int Series = 6;

    static readonly string[] s_colours = ["#2f6fb3", "#b07a12", "#2f8f5b", "#8a4fb0", "#c03d6c", "#5c6470"];

    /// <summary>Titles and names.</summary>
    public static Ink Word { get; } = new("word", "fill=\"#1d2129\"");

    /// <summary>What stands at an axis.</summary>
    public static Ink Label { get; } = new("label", "fill=\"#5c6470\"");

    public static Ink Grid { get; } = new("grid", "stroke=\"#dfe2e7\"");

    /// <summary>A line to compare with that is no measurement.</summary>
    public static Ink Reference { get; } = new(
        "reference", "fill=\"none\" stroke=\"#8a9099\" stroke-width=\"1.5\" stroke-dasharray=\"2 3\"");

    public static Ink Floor { get; } = new("floor", "stroke=\"#b4431f\" stroke-width=\"1.5\" stroke-dasharray=\"5 4\"");

    /// <summary>How sure the floor is.</summary>
    public static Ink Band { get; } = new("band", "fill=\"#b4431f\" fill-opacity=\"0.16\"");

    /// <summary>A mark upon colours of a scale.</summary>
    public static Ink Pointer { get; } = new("pointer", "fill=\"#f08a4b\" stroke=\"#ffffff\"");

    public static Ink Stroke(int series) => new($"s{series} stroke", $"fill=\"none\" stroke=\"{Colour(series)}\" stroke-width=\"2\"");

    public static Ink Whisker(int series) => new($"s{series} whisker", $"stroke=\"{Colour(series)}\" stroke-width=\"1.5\"");

    public static Ink Mark(int series) => new($"s{series} mark", $"fill=\"{Colour(series)}\"");

    static string Colour(int series) => s_colours[series % Series];
}

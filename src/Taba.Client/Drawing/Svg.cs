using System.Globalization;
using System.Net;
using System.Text;
using System.Xml;

namespace Taba.Client.Drawing;

/// <summary>
/// A drawing, which is SVG within a page and as a file. Words stay words, in the reader's font. No style sheet, font or script is needed,
/// so that a file is what every program that reads SVG makes of it.
/// </summary>
sealed class Svg(double width, double height)
{
    /// <summary>Of words, in units of the drawing.</summary>
    public const double FontSize = 12;

    /// <summary>About what a letter takes; words of a drawing are laid out without knowing the font.</summary>
    const double LetterWidth = 6.3;

    const string Font = "font-family=\"system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif\" font-size=\"12\"";

    readonly StringBuilder _marks = new();

    public double Width => width;

    public double Height => height;

    /// <summary>About how wide words will be.</summary>
    public static double WidthOf(string words) => words.Length * LetterWidth;

    public void Line(Ink ink, double x1, double y1, double x2, double y2) =>
        _marks.Append($"<line {Of(ink)} x1=\"{At(x1)}\" y1=\"{At(y1)}\" x2=\"{At(x2)}\" y2=\"{At(y2)}\"/>");

    public void Lines(Ink ink, IEnumerable<(double X, double Y)> points) =>
        _marks.Append($"<polyline {Of(ink)} points=\"").AppendJoin(' ', points.Select(p => $"{At(p.X)},{At(p.Y)}")).Append("\"/>");

    public void Rectangle(Ink ink, double x, double y, double wide, double high) =>
        _marks.Append($"<rect {Of(ink)} {Box(x, y, wide, high)}/>");

    /// <summary>Cells of a map, each in a colour of its scale wherever it is shown, with no seams between them.</summary>
    public void Cells(IEnumerable<(string Colour, double X, double Y)> cells, double wide, double high)
    {
        _marks.Append("<g shape-rendering=\"crispEdges\">");
        foreach (var (colour, x, y) in cells)
            _marks.Append($"<rect fill=\"{colour}\" {Box(x, y, wide, high)}/>");
        _marks.Append("</g>");
    }

    public void Circle(Ink ink, double x, double y, double radius) =>
        _marks.Append($"<circle {Of(ink)} cx=\"{At(x)}\" cy=\"{At(y)}\" r=\"{At(radius)}\"/>");

    /// <summary>A mark of a series, in the series' shape.</summary>
    /// <param name="told">What a reader who points at it is told; empty for nothing.</param>
    public void Mark(int series, double x, double y, string told = "")
    {
        var shape = (series % Ink.Series) switch
        {
            0 => "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
            1 => "M-3.6-3.6h7.2v7.2h-7.2z",
            2 => "M0-4.8L4.6 3.4H-4.6z",
            3 => "M0-5L5 0L0 5L-5 0z",
            4 => "M0 4.8L4.6-3.4H-4.6z",
            _ => "M-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z",
        };
        _marks.Append($"<path {Of(Ink.Mark(series))} transform=\"translate({At(x)} {At(y)})\" d=\"{shape}\"");
        _marks.Append(told.Length > 0 ? $"><title>{Escaped(told)}</title></path>" : "/>");
    }

    /// <param name="anchor">start, middle or end: which part of the words stands at x.</param>
    public void Text(Ink ink, double x, double y, string words, string anchor = "start") =>
        _marks.Append($"<text {Of(ink)} x=\"{At(x)}\" y=\"{At(y)}\" text-anchor=\"{anchor}\">{Escaped(words)}</text>");

    /// <summary>Words from below to above, their middle at the place.</summary>
    public void TextUpwards(Ink ink, double x, double y, string words) => _marks.Append(
        $"<text {Of(ink)} transform=\"translate({At(x)} {At(y)}) rotate(-90)\" text-anchor=\"middle\">{Escaped(words)}</text>");

    public void Picture(double x, double y, double side, byte[] png) => _marks.Append(
        $"<image {Box(x, y, side, side)} style=\"image-rendering:pixelated\" "
        + $"href=\"data:image/png;base64,{Convert.ToBase64String(png)}\"/>");

    /// <summary>For a page, whose style colours it.</summary>
    public string Inline(string title) =>
        $"<svg class=\"figure\" {ViewBox} role=\"img\" aria-label=\"{Escaped(title)}\" {Font}>{_marks}</svg>";

    /// <summary>A file of its own, on white: what is dark upon it stays readable wherever it is put.</summary>
    /// <param name="description">What the drawing shows, for whoever finds the file alone.</param>
    public byte[] File(string title, string description) => Encoding.UTF8.GetBytes(
        $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{At(width)}\" "
        + $"height=\"{At(height)}\" {ViewBox} {Font}><title>{Escaped(title)}</title><desc>{Escaped(description)}</desc>"
        + $"<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>{_marks}</svg>\n");

    string ViewBox => $"viewBox=\"0 0 {At(width)} {At(height)}\"";

    static string Of(Ink ink) => $"class=\"{ink.Class}\" {ink.Paper}";

    static string Box(double x, double y, double wide, double high) =>
        $"x=\"{At(x)}\" y=\"{At(y)}\" width=\"{At(wide)}\" height=\"{At(high)}\"";

    static string At(double value) => (Math.Round(value, 2) + 0.0).ToString("0.##", CultureInfo.InvariantCulture);

    /// <summary>Names of folders may hold what XML has no way to say.</summary>
    static string Escaped(string words) => WebUtility.HtmlEncode(string.Concat(words.Where(c => XmlConvert.IsXmlChar(c))));
}

namespace Taba.DemoModel;

/// <summary>
/// The training pictures: one coloured shape on a plain or softly shaded ground, so that plain areas, edges and
/// gradients all occur. The i-th picture is always the same.
/// </summary>
static class ShapePictures
{
    /// <summary>Height and width.</summary>
    public const int Size = 32;

    /// <summary>Floats of one picture: [3,32,32].</summary>
    public const int Elements = 3 * Size * Size;

    const ulong Stream = 0x7ABA;

    /// <summary>Draws picture <paramref name="index"/>, values in [-1,1], channel by channel.</summary>
    public static void Draw(ulong index, Span<float> picture)
    {
        var random = new CounterRandom(Stream, index);
        var hue = random.Next();
        var ground = Colour(hue, random.Next(0.15, 0.75), random.Next(0.25, 0.95));
        var shaded = random.Next() < 0.4;
        var (shadeX, shadeY) = shaded ? (random.Next(-0.25, 0.25), random.Next(-0.25, 0.25)) : (0, 0);

        // At least a third of the colour circle away from the ground, so that the shape stands out.
        var ink = Colour(hue + random.Next(0.33, 0.67), random.Next(0.7, 1), random.Next(0.6, 1));
        var shape = random.Pick(s_shapes.Length);
        var radius = random.Next(7, 11.5);
        var x0 = random.Next(radius + 1, Size - radius - 1);
        var y0 = random.Next(radius + 1, Size - radius - 1);
        var angle = random.Next(0, 2 * Math.PI);
        var (sin, cos) = Math.SinCos(angle);
        for (var y = 0; y < Size; y++)
        {
            for (var x = 0; x < Size; x++)
            {
                var (dx, dy) = ((x + 0.5 - x0) / radius, (y + 0.5 - y0) / radius);
                var distance = s_shapes[shape]((cos * dx) + (sin * dy), (cos * dy) - (sin * dx)) * radius;
                var cover = Math.Clamp(0.5 - distance, 0, 1);
                var light = 1 + (shadeX * ((x + 0.5) / Size - 0.5) * 2) + (shadeY * ((y + 0.5) / Size - 0.5) * 2);
                for (var c = 0; c < 3; c++)
                {
                    var value = (cover * ink[c]) + ((1 - cover) * Math.Clamp(ground[c] * light, 0, 1));
                    picture[(c * Size * Size) + (y * Size) + x] = (float)((2 * value) - 1);
                }
            }
        }
    }

    /// <summary>Signed distances to the outlines of shapes of radius 1 around the origin, negative inside.</summary>
    static readonly Func<double, double, double>[] s_shapes =
    [
        (x, y) => Math.Sqrt((x * x) + (y * y)) - 0.9,
        (x, y) => Math.Max(Math.Abs(x), Math.Abs(y)) - 0.72,
        (x, y) => Polygon(x, y, 3) - 0.5,
        (x, y) => Math.Abs(Math.Sqrt((x * x) + (y * y)) - 0.72) - 0.22,
        (x, y) => Math.Min(Bar(x, y), Bar(y, x)),
        Star,
    ];

    /// <summary>Distance to the sides of a regular polygon around the origin, measured from the centre.</summary>
    static double Polygon(double x, double y, int sides)
    {
        var sector = 2 * Math.PI / sides;
        var angle = Math.Atan2(y, x);
        angle -= sector * Math.Round(angle / sector);
        return Math.Sqrt((x * x) + (y * y)) * Math.Cos(angle);
    }

    static double Bar(double x, double y) => Math.Max(Math.Abs(x) - 0.95, Math.Abs(y) - 0.3);

    /// <summary>Five points: the distance to the edge between a tip (radius 1) and a notch (radius 0.42).</summary>
    static double Star(double x, double y)
    {
        const double Sector = 2 * Math.PI / 5;
        var angle = Math.Atan2(y, x);
        angle = Math.Abs(angle - (Sector * Math.Round(angle / Sector)));
        var radius = Math.Sqrt((x * x) + (y * y));
        var (px, py) = (radius * Math.Cos(angle), radius * Math.Sin(angle));
        var (nx, ny) = (0.42 * Math.Cos(Sector / 2), 0.42 * Math.Sin(Sector / 2));
        var length = Math.Sqrt(((nx - 1) * (nx - 1)) + (ny * ny));
        return (((px - 1) * ny) - (py * (nx - 1))) / length;
    }

    /// <summary>Hue in turns, saturation and value in [0,1], to red, green and blue in [0,1].</summary>
    static double[] Colour(double hue, double saturation, double value)
    {
        return [Channel(5), Channel(3), Channel(1)];

        double Channel(double offset)
        {
            var k = (offset + (6 * hue)) % 6;
            return value * (1 - (saturation * Math.Clamp(Math.Min(k, 4 - k), 0, 1)));
        }
    }
}

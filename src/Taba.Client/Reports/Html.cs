using System.Globalization;
using System.Net;
using Taba.Diffusion.Metrics.Uncertainty;

namespace Taba.Client.Reports;

/// <summary>Text for a page. Everything that comes from files passes through <see cref="Text"/>.</summary>
static class Html
{
    public static string Text(string? value) => WebUtility.HtmlEncode(value ?? "");

    /// <summary>A measured number: four significant digits.</summary>
    public static string Number(double? value) => value switch
    {
        null => "–",
        { } v when double.IsNaN(v) => "NaN",
        { } v when double.IsInfinity(v) => v > 0 ? "∞" : "−∞",
        { } v when v != 0 && Math.Abs(v) < 1e-3 => v.ToString("0.###e+0", CultureInfo.InvariantCulture),
        { } v => v.ToString("0.####", CultureInfo.InvariantCulture),
    };

    /// <summary>A mean, with its interval where it is known.</summary>
    public static string Estimate(Estimate? estimate) => estimate switch
    {
        null => Number(null),
        { Interval: { } interval } e => $"{Number(e.Mean, interval)} <small>{Ends(interval)}</small>",
        { } e => Number(e.Mean),
    };

    /// <summary>A number with as many decimals as its interval deserves: three digits of its width.</summary>
    public static string Number(double value, Interval interval)
    {
        var width = interval.High - interval.Low;
        return width > 0 && double.IsFinite(width) && width >= 1e-8
            ? value.ToString($"F{Math.Clamp(2 - (int)Math.Floor(Math.Log10(width)), 0, 10)}", CultureInfo.InvariantCulture)
                .Replace("-", "−", StringComparison.Ordinal)
            : Number(value);
    }

    /// <summary>"0.2281 to 0.2311".</summary>
    public static string Ends(Interval interval) => $"{Number(interval.Low, interval)} to {Number(interval.High, interval)}";

    /// <summary>The same within a sentence: "0.2296 (0.2281 to 0.2311)".</summary>
    public static string Words(Estimate estimate) => estimate.Interval is { } interval
        ? $"{Number(estimate.Mean, interval)} ({Ends(interval)})"
        : Number(estimate.Mean);

    /// <summary>A difference, with its sign.</summary>
    public static string Change(double value, Interval? interval) =>
        (value > 0 ? "+" : "") + (interval is { } known ? Number(value, known) : Number(value));

    /// <summary>The ends of a difference's interval: "−0.0268 to +0.0019".</summary>
    public static string Change(Interval interval) => $"{Change(interval.Low, interval)} to {Change(interval.High, interval)}";

    /// <summary>A deviation: two significant digits.</summary>
    public static string Spread(double value) => value == 0 ? "0" : value < 1e-4
        ? value.ToString("0.#e+0", CultureInfo.InvariantCulture)
        : value.ToString($"F{Math.Max(0, 1 - (int)Math.Floor(Math.Log10(value)))}", CultureInfo.InvariantCulture);

    /// <summary>A coordinate in a drawing.</summary>
    public static string Coordinate(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}

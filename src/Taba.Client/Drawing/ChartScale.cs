using System.Globalization;

namespace Taba.Client.Drawing;

/// <summary>The part of an axis that a chart shows, with some room beside the values.</summary>
readonly record struct ChartScale(double Low, double High)
{
    const double Room = 0.08;

    public static ChartScale Of(IEnumerable<double> values)
    {
        var finite = values.Where(double.IsFinite).ToList();
        if (finite.Count == 0)
            return new(0, 1);
        var (low, high) = (finite.Min(), finite.Max());
        var room = high > low ? (high - low) * Room : Math.Max(Math.Abs(high) * Room, 1e-6);
        // Nothing is below zero unless a value is.
        return new(low >= 0 ? Math.Max(0, low - room) : low - room, high + room);
    }

    /// <summary>Where a value stands, 0 at the low end and 1 at the high one.</summary>
    public double At(double value) => Math.Clamp((value - Low) / (High - Low), 0, 1);

    /// <summary>Round values within, at most <paramref name="most"/>.</summary>
    public IReadOnlyList<double> Ticks(int most)
    {
        var (first, step, count) = Steps(most);
        return [.. Enumerable.Range(0, count).Select(i => (first + i) * step)];
    }

    /// <summary>The same with their words, all with as many decimals as the steps between them need.</summary>
    public IReadOnlyList<(double At, string Words)> Labels(int most)
    {
        var decimals = Math.Clamp(-(int)Math.Floor(Math.Log10(Steps(most).Step) + 1e-9), 0, 12);
        return [.. Ticks(most).Select(t => (t, t.ToString($"F{decimals}", CultureInfo.InvariantCulture).Replace('-', '\u2212')))];
    }

    (double First, double Step, int Count) Steps(int most)
    {
        var power = Math.Pow(10, Math.Floor(Math.Log10(High - Low)));
        var (low, high) = (Low, High);
        var step = ((double[])[power / 10, power / 5, power / 2, power, 2 * power, 5 * power, 10 * power])
            .FirstOrDefault(s => Math.Floor(high / s) - Math.Ceiling(low / s) < most);
        // A range without end, or one that no number divides, has no round values.
        if (!double.IsFinite(step) || step <= 0)
            return (0, 1, 0);
        var first = Math.Ceiling(Low / step);
        return (first, step, (int)(Math.Floor(High / step) - first) + 1);
    }
}

using System.Globalization;

namespace Taba.Grains.Waits;

/// <summary>How long something takes, in a sentence.</summary>
static class Times
{
    /// <summary>Whole seconds, minutes or hours, never none.</summary>
    public static string Text(TimeSpan time) => time.TotalSeconds switch
    {
        < 1 => "1 s",
        < 90 => Whole(time.TotalSeconds, "s"),
        < 5400 => Whole(time.TotalMinutes, "min"),
        _ => Whole(time.TotalHours, "h"),
    };

    static string Whole(double amount, string unit) =>
        $"{Math.Ceiling(amount).ToString(CultureInfo.InvariantCulture)} {unit}";
}

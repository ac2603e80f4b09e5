using System.Globalization;

namespace Taba.Grains.Words;

/// <summary>Numbers as people read them.</summary>
public static class Quantities
{
    static readonly string[] s_byteUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

    public static string Count(double value) => Math.Round(value).ToString("#,0", CultureInfo.InvariantCulture);

    public static string Bytes(double bytes)
    {
        var unit = 0;
        while (bytes >= 1024 && unit < s_byteUnits.Length - 1)
        {
            bytes /= 1024;
            unit++;
        }
        return unit == 0 ? $"{bytes:0} B" : $"{bytes:0.0} {s_byteUnits[unit]}";
    }

    public static string Duration(TimeSpan? time) => time switch
    {
        null => "unknown",
        { TotalSeconds: < 60 } t => $"{Math.Ceiling(t.TotalSeconds):0} s",
        { TotalMinutes: < 60 } t => $"{(int)t.TotalMinutes} min {t.Seconds} s",
        { TotalHours: < 48 } t => $"{(int)t.TotalHours} h {t.Minutes} min",
        { } t => $"{(int)t.TotalDays} d {t.Hours} h",
    };

    public static string Left(TimeSpan? time) => time is null ? "time left unknown" : $"{Duration(time)} left";

    public static string Rate(double? evaluationsPerSecond) => evaluationsPerSecond switch
    {
        null => "rate unknown",
        >= 100 => $"{evaluationsPerSecond:0} evaluations/s",
        _ => $"{evaluationsPerSecond:0.0} evaluations/s",
    };
}

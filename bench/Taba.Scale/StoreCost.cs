using System.Diagnostics;
using System.Globalization;
using Taba.Testing.Stores;

namespace Taba.Scale;

/// <summary>What something costs that was done several times over an observed place: medians.</summary>
/// <param name="Milliseconds">Of wall time.</param>
/// <param name="Bytes">Allocated by the whole process meanwhile.</param>
/// <param name="Calls">Of the place, by kind; the same each time, or the measurement fails.</param>
sealed record StoreCost(double Milliseconds, double Bytes, string Calls)
{
    /// <param name="rounds">The first is not counted.</param>
    /// <param name="prepare">Not measured.</param>
    public static async Task<StoreCost> OfAsync(
        ObservedObjects place, int rounds, Func<int, Task> measured, Func<int, Task>? prepare = null, Func<int, Task>? after = null)
    {
        var (times, bytes, calls) = (new List<double>(), new List<double>(), new List<string>());
        for (var round = 0; round <= rounds; round++)
        {
            if (prepare is not null)
                await prepare(round);
            place.Clear();
            var allocated = GC.GetTotalAllocatedBytes(precise: true);
            var began = Stopwatch.GetTimestamp();
            await measured(round);
            var took = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            allocated = GC.GetTotalAllocatedBytes(precise: true) - allocated;
            var called = string.Join(", ", place.Calls.GroupBy(c => c.Call).OrderBy(g => g.Key).Select(g => $"{g.Count()} {g.Key}"));
            if (after is not null)
                await after(round);
            if (round == 0)
                continue;
            times.Add(took);
            bytes.Add(allocated);
            calls.Add(called);
        }
        return calls.Distinct().Count() == 1
            ? new(Median(times), Median(bytes), calls[0].Length == 0 ? "none" : calls[0])
            : throw new InvalidOperationException($"The calls differ: {string.Join("; ", calls.Distinct())}.");
    }

    /// <summary>For a cell of a table.</summary>
    public string Text => string.Create(CultureInfo.InvariantCulture, $"{Milliseconds:0.0} ({Calls})");

    static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}

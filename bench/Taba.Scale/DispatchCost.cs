using System.Globalization;

namespace Taba.Scale;

/// <summary>What calls of a kind cost.</summary>
/// <param name="Times">How many there were.</param>
/// <param name="Cpu">This process's processor time meanwhile.</param>
/// <param name="Wall">How long it took.</param>
/// <param name="Calls">Of grains, those that followed from them included.</param>
readonly record struct DispatchCost(int Times, TimeSpan Cpu, TimeSpan Wall, long Calls)
{
    /// <summary>Of one of them: microseconds, and grain calls in brackets.</summary>
    /// <param name="still">Milliseconds of processor a second that the process takes when nobody calls.</param>
    public string Text(double still) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(Cpu.TotalMilliseconds - Wall.TotalSeconds * still) * 1000 / Times:0} ({Calls / (double)Times:0.0})");

    public static DispatchCost operator +(DispatchCost a, DispatchCost b) =>
        new(a.Times + b.Times, a.Cpu + b.Cpu, a.Wall + b.Wall, a.Calls + b.Calls);
}

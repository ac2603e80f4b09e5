using System.Diagnostics.Metrics;

namespace Taba.Diffusion.Engine;

/// <summary>
/// The instruments of all engines of the process; each measurement carries <c>taba.model</c> and <c>taba.device</c>
/// (docs/guide/telemetry.md).
/// </summary>
public static class EngineInstruments
{
    /// <summary>The name to subscribe to.</summary>
    public const string MeterName = "Taba.Diffusion";

    static readonly Meter s_meter = new(MeterName, typeof(EngineInstruments).Assembly.GetName().Version?.ToString(3));

    // Buckets: a turn lasts 10 ms (small network, GPU) to 10 s (big network, CPU).
    static readonly InstrumentAdvice<double> s_seconds = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    };

    static readonly InstrumentAdvice<double> s_ratio = new()
    {
        HistogramBucketBoundaries = [0.1, 0.25, 0.5, 0.75, 0.9, 0.99],
    };

    internal static readonly KeyValuePair<string, object?> Completed = new("taba.outcome", "completed");
    internal static readonly KeyValuePair<string, object?> Failed = new("taba.outcome", "failed");

    internal static readonly Counter<long> Evaluations =
        s_meter.CreateCounter<long>("taba.engine.evaluations", "{evaluation}", "Rows that went through the network, padding not counted");

    internal static readonly Counter<long> Padding =
        s_meter.CreateCounter<long>("taba.engine.padding", "{row}", "Rows of padding that went through the network");

    internal static readonly Counter<long> OutOfMemory =
        s_meter.CreateCounter<long>("taba.engine.out_of_memory", "{event}", "Times that the device ran out of memory");

    internal static readonly Counter<long> TrajectoriesEnded =
        s_meter.CreateCounter<long>("taba.trajectory.ended", "{trajectory}", "Trajectories that reached their last step, or failed");

    internal static readonly UpDownCounter<int> SlotUsage =
        s_meter.CreateUpDownCounter<int>("taba.engine.slot.usage", "{slot}", "Slots that a trajectory occupies");

    internal static readonly Histogram<double> TurnDuration =
        s_meter.CreateHistogram("taba.engine.turn.duration", "s", "Time of a turn of the engine's loop", null, s_seconds);

    internal static readonly Histogram<double> NetworkDuration =
        s_meter.CreateHistogram("taba.engine.network.duration", "s", "Time of a forward pass", null, s_seconds);

    internal static readonly Histogram<double> BatchUtilization =
        s_meter.CreateHistogram("taba.engine.batch.utilization", "1", "Rows of a forward pass over the most it may have", null, s_ratio);

    /// <summary>Counts time that a network took outside an engine, such as an autoencoder's.</summary>
    public static void NetworkRan(string model, string device, TimeSpan time) => Accounts.Add(model, device, time);

    /// <summary>What every engine did with its time: see <see cref="EngineAccounts"/>.</summary>
    internal static readonly EngineAccounts Accounts = new(s_meter);
}

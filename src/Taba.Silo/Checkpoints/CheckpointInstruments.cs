using System.Diagnostics.Metrics;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Checkpoints;

/// <summary>The instruments of the checkpoint writer.</summary>
static class CheckpointInstruments
{
    static readonly Meter s_meter = new(SiloInstruments.MeterName, SiloInstruments.Version);

    /// <summary>Bytes written to segment files.</summary>
    public static readonly Counter<long> Bytes = s_meter.CreateCounter<long>(
        "taba.checkpoint.io", "By", "Bytes written to checkpoint segments");

    /// <summary>Seconds from taking records off the queue to their being on disk.</summary>
    public static readonly Histogram<double> Duration = s_meter.CreateHistogram(
        "taba.checkpoint.duration", "s", "Time to write one drain of the queue and make it durable", null, SiloInstruments.Seconds);

    /// <summary>Bytes that wait for the disk.</summary>
    public static readonly UpDownCounter<long> Queue = s_meter.CreateUpDownCounter<long>(
        "taba.checkpoint.queue.size", "By", "Bytes of checkpoints that wait for the disk");
}

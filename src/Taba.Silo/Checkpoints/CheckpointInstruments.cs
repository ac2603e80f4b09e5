using System.Diagnostics.Metrics;

namespace Taba.Silo.Checkpoints;

/// <summary>The instruments of the checkpoint writer.</summary>
static class CheckpointInstruments
{
    static readonly Meter s_meter = new("Taba.Silo");

    /// <summary>Bytes written to segment files.</summary>
    public static readonly Counter<long> Bytes = s_meter.CreateCounter<long>(
        "taba.checkpoint.bytes", "By", "Bytes written to checkpoint segments.");

    /// <summary>Seconds from taking records off the queue to their being on disk.</summary>
    public static readonly Histogram<double> Duration = s_meter.CreateHistogram<double>(
        "taba.checkpoint.duration", "s", "Time to write one drain of the queue and make it durable.");

    /// <summary>Bytes that wait for the disk.</summary>
    public static readonly UpDownCounter<long> Queue = s_meter.CreateUpDownCounter<long>(
        "taba.checkpoint.queue", "By", "Bytes of checkpoints that wait for the disk.");
}

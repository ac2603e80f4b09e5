using System.Diagnostics.Metrics;

namespace Taba.Silo.Checkpoints;

/// <summary>The instruments of the checkpoint writer.</summary>
static class CheckpointInstruments
{
    static readonly Meter Meter = new("Taba.Silo");

    /// <summary>Bytes written to segment files.</summary>
    public static readonly Counter<long> Bytes = Meter.CreateCounter<long>("taba.checkpoint.bytes", "By", "Bytes written to checkpoint segments.");

    /// <summary>Seconds from taking records off the queue to their being on disk.</summary>
    public static readonly Histogram<double> Duration = Meter.CreateHistogram<double>(
        "taba.checkpoint.duration", "s", "Time to write one drain of the queue and make it durable.");

    /// <summary>Bytes that wait for the disk.</summary>
    public static readonly UpDownCounter<long> Queue = Meter.CreateUpDownCounter<long>(
        "taba.checkpoint.queue", "By", "Bytes of checkpoints that wait for the disk.");
}

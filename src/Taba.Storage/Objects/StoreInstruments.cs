using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Taba.Storage.Objects;

/// <summary>Instruments of the store. Names and units follow OpenTelemetry; no tag names a stage or a sample.</summary>
public static class StoreInstruments
{
    static readonly Meter s_meter = new("Taba.Storage", typeof(StoreInstruments).Assembly.GetName().Version?.ToString(3));

    // The default bounds say nothing below five seconds.
    static readonly InstrumentAdvice<double> s_seconds = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    };

    public static readonly Counter<long> OrphansDeleted = s_meter.CreateCounter<long>(
        "taba.store.orphan.deleted", "{object}", "Objects and unfinished files deleted that dead attempts left");

    public static readonly Counter<long> Voided = s_meter.CreateCounter<long>(
        "taba.store.voided", "{entry}", "Published entries and cells found damaged and made void; their rows are computed again");

    public static readonly Counter<long> CheckpointBytes = s_meter.CreateCounter<long>(
        "taba.checkpoint.io", "By", "Bytes of checkpoints written");

    public static readonly Histogram<double> CheckpointDuration = s_meter.CreateHistogram(
        "taba.checkpoint.duration", "s", "Time to write the checkpoint of one part and make it durable", null, s_seconds);

    public static readonly UpDownCounter<long> CheckpointQueue = s_meter.CreateUpDownCounter<long>(
        "taba.checkpoint.queue.size", "By", "Bytes of checkpoints that wait for the disk");

    static readonly Histogram<double> s_operation = s_meter.CreateHistogram(
        "taba.store.operation.duration", "s", "Time of an operation of the tensor store", null, s_seconds);

    /// <summary>Times an operation of the store, and notes whether it threw.</summary>
    public static async Task<T> TimeAsync<T>(string operation, Func<Task<T>> work)
    {
        using var timer = new Timer(operation);
        try
        {
            var result = await work();
            timer.Succeeded();
            return result;
        }
        catch (OperationCanceledException)
        {
            timer.Cancelled();
            throw;
        }
    }

    /// <summary>Times an operation of the store from its making to its disposal: an error unless told that it succeeded.</summary>
    internal sealed class Timer(string operation) : IDisposable
    {
        readonly long _started = Stopwatch.GetTimestamp();
        string _outcome = "error";

        public void Succeeded() => _outcome = "ok";

        /// <summary>Nobody waits for it any more: that is no fault of the store.</summary>
        public void Cancelled() => _outcome = "cancelled";

        public void Dispose() => s_operation.Record(
            Stopwatch.GetElapsedTime(_started).TotalSeconds, new("taba.operation", operation), new("taba.outcome", _outcome));
    }
}

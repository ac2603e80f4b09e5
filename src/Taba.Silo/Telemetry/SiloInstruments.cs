using System.Diagnostics.Metrics;
using Taba.Grains.Stages;

namespace Taba.Silo.Telemetry;

/// <summary>Instruments of the silo's work on parts. Names and units follow OpenTelemetry; no tag has a sample or sweep in it.</summary>
static class SiloInstruments
{
    /// <summary>The meter of this assembly's instruments, those that a silo reads from its services included.</summary>
    public const string MeterName = "Taba.Silo";

    public static readonly string? Version = typeof(SiloInstruments).Assembly.GetName().Version?.ToString(3);

    /// <summary>Bounds for what takes from milliseconds to minutes; the default ones say nothing below five seconds.</summary>
    public static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300],
    };

    static readonly Meter s_meter = new(MeterName, Version);

    public static readonly Counter<long> SamplesResumed = s_meter.CreateCounter<long>(
        "taba.sample.resumed", "{sample}", "Samples that went on at a checkpoint");

    public static readonly Histogram<double> ModelLoad = s_meter.CreateHistogram(
        "taba.model.load.duration", "s", "Time to load a model", null, Seconds);

    public static readonly Counter<long> ModelsUnloaded = s_meter.CreateCounter<long>(
        "taba.model.unloaded", "{model}", "Models unloaded because others were needed");

    public static readonly Histogram<double> PrepareDuration = s_meter.CreateHistogram(
        "taba.part.prepare.duration", "s", "Time to load a part's inputs", null, Seconds);

    public static readonly Histogram<double> PublishDuration = s_meter.CreateHistogram(
        "taba.part.publish.duration", "s", "Time to write and publish a part", null, Seconds);

    public static readonly Counter<long> LeasesFenced = s_meter.CreateCounter<long>(
        "taba.lease.fenced", "{lease}", "Leases refused because their key is not that of what they ask for");

    public static readonly Counter<long> PartsCompared = s_meter.CreateCounter<long>(
        "taba.part.compared", "{part}", "Parts of deterministic stages that were computed twice, by whether their bytes were equal");

    /// <summary>The tag of a stage's kind.</summary>
    public static KeyValuePair<string, object?> KindOf(StageSpec spec) => new("taba.stage.kind", spec.Kind.ToString().ToLowerInvariant());

    /// <summary>The tags of a model on a device.</summary>
    public static KeyValuePair<string, object?>[] ModelOn(string model, string device) =>
        [new("taba.model", model), new("taba.device", device)];
}

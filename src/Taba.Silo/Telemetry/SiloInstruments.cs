using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Taba.Silo.Telemetry;

/// <summary>Instruments of the silo's work on parts. Names and units follow OpenTelemetry; no tag has a sample or sweep in it.</summary>
static class SiloInstruments
{
    static readonly Meter s_meter = new("Taba.Silo");

    /// <summary>A span for each part: prepare, run, publish.</summary>
    public static readonly ActivitySource Source = new("Taba.Silo");

    public static readonly Counter<long> PartsLeased = s_meter.CreateCounter<long>(
        "taba.part.leased", "{part}", "Parts that this silo took.");

    public static readonly Counter<long> PartsLost = s_meter.CreateCounter<long>(
        "taba.part.lost", "{part}", "Parts whose lease this silo lost.");

    public static readonly Counter<long> PartsPublished = s_meter.CreateCounter<long>(
        "taba.part.published", "{part}", "Parts that this silo published.");

    public static readonly Counter<long> SamplesFailed = s_meter.CreateCounter<long>(
        "taba.sample.failed", "{sample}", "Samples that could not be computed.");

    public static readonly Counter<long> SamplesResumed = s_meter.CreateCounter<long>(
        "taba.sample.resumed", "{sample}", "Samples that went on at a checkpoint.");

    public static readonly Counter<long> ModelLoads = s_meter.CreateCounter<long>("taba.model.loads", "{load}", "Models loaded.");

    public static readonly Counter<long> OrphansDeleted = s_meter.CreateCounter<long>(
        "taba.store.orphans", "{object}", "Objects and unfinished files deleted that dead attempts left.");

    public static readonly Histogram<double> PrepareDuration = s_meter.CreateHistogram<double>(
        "taba.part.prepare.duration", "s", "Time to load a part's inputs.");

    public static readonly Histogram<double> PublishDuration = s_meter.CreateHistogram<double>(
        "taba.part.publish.duration", "s", "Time to write and publish a part.");
}

using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Taba.Silo.Telemetry;

/// <summary>
/// Exports metrics, spans and logs over OTLP as the variables of OpenTelemetry say, and metrics to Prometheus where a host serves them;
/// otherwise costs nothing (docs/guide/telemetry.md).
/// </summary>
static class TabaTelemetry
{
    // Calls that wait for a device last for seconds, and the default bounds end at ten.
    static readonly double[] s_callMilliseconds = [1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000];

    /// <param name="instance">Names this process among those of its service: the silo's name.</param>
    /// <param name="scraped">Whether a web host serves the metrics to Prometheus.</param>
    /// <exception cref="BadInputException">A variable has a value that no exporter could use.</exception>
    public static void AddTabaTelemetry(this IHostApplicationBuilder builder, string instance, bool scraped = false)
    {
        var variables = OtelVariables.Read();
        if (!scraped && variables is { Metrics: false, Traces: false, Logs: false })
            return;
        builder.Configuration.AddInMemoryCollection(variables.ForExporters);
        var telemetry = builder.Services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService(
            variables.ServiceName, serviceVersion: SiloInstruments.Version, serviceInstanceId: variables.InstanceId ?? instance));
        if (scraped || variables.Metrics)
            telemetry.WithMetrics(metrics =>
            {
                metrics.AddMeter("Taba.*", "Microsoft.Orleans", "System.Runtime")
                    .AddView("orleans-app-requests-latency", new ExplicitBucketHistogramConfiguration { Boundaries = s_callMilliseconds });
                if (scraped)
                    metrics.AddPrometheusExporter();
                if (variables.Metrics)
                    metrics.AddOtlpExporter();
            });
        if (variables.Traces)
            telemetry.WithTracing(tracing => tracing.AddSource("Taba.*").AddOtlpExporter());
        if (!variables.Logs)
            return;
        telemetry.WithLogging(logs => logs.AddOtlpExporter(), options => options.IncludeFormattedMessage = true);
        // What the terminal hides because a command says it itself is wanted where logs are collected.
        builder.Logging.AddFilter<OpenTelemetryLoggerProvider>(null, LogLevel.Information)
            .AddFilter<OpenTelemetryLoggerProvider>("Orleans", LogLevel.Warning)
            .AddFilter<OpenTelemetryLoggerProvider>("Microsoft", LogLevel.Warning);
    }
}

using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Taba.Silo.Telemetry;

/// <summary>Exports meters and spans over OTLP when the standard variable says where to; otherwise costs nothing.</summary>
static class TabaTelemetry
{
    const string EndpointVariable = "OTEL_EXPORTER_OTLP_ENDPOINT";

    public static void AddTabaTelemetry(this IHostApplicationBuilder builder)
    {
        if (string.IsNullOrEmpty(Environment.GetEnvironmentVariable(EndpointVariable)))
            return;
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(
                resource => resource.AddService("taba", serviceVersion: typeof(TabaTelemetry).Assembly.GetName().Version?.ToString(3)))
            .WithMetrics(metrics => metrics.AddMeter("Taba.*").AddMeter("Microsoft.Orleans").AddOtlpExporter())
            .WithTracing(tracing => tracing.AddSource("Taba.*").AddOtlpExporter());
    }
}

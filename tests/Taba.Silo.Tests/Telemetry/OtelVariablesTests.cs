using Taba.Grains;
using Taba.Silo.Telemetry;

namespace Taba.Silo.Tests.Telemetry;

public sealed class OtelVariablesTests
{
    [Theory]
    [InlineData("", false, false, false)]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4317", true, true, true)]
    [InlineData("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:4318/v1/traces", false, true, false)]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4317 OTEL_LOGS_EXPORTER=none", true, true, false)]
    [InlineData("OTEL_METRICS_EXPORTER=otlp", true, false, false)]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=http://c:4317 OTEL_SDK_DISABLED=true", false, false, false)]
    public void Signals_ByTheirVariables_AreSentOrNot(string variables, bool metrics, bool traces, bool logs)
    {
        var read = Read(variables);
        Assert.Equal((metrics, traces, logs), (read.Metrics, read.Traces, read.Logs));
    }

    [Theory]
    [InlineData("", "taba", null)]
    [InlineData("OTEL_RESOURCE_ATTRIBUTES=service.name=lab,service.instance.id=a%20b", "lab", "a b")]
    [InlineData("OTEL_SERVICE_NAME=mine OTEL_RESOURCE_ATTRIBUTES=service.name=lab", "mine", null)]
    public void Resource_ByTheirVariables_IsNamed(string variables, string service, string? instance)
    {
        var read = Read(variables);
        Assert.Equal((service, instance), (read.ServiceName, read.InstanceId));
    }

    [Theory]
    [InlineData("OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317")]
    [InlineData("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT=/v1/metrics")]
    [InlineData("OTEL_EXPORTER_OTLP_PROTOCOL=http/json")]
    [InlineData("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=udp")]
    [InlineData("OTEL_METRICS_EXPORTER=prometheus")]
    public void Of_AValueThatNoExporterCanUse_IsRefusedWithItsName(string variable)
    {
        var refused = Assert.Throws<BadInputException>(() => Read(variable));
        Assert.StartsWith(variable.Split('=')[0] + " is '" + variable.Split('=')[1], refused.Message, StringComparison.Ordinal);
    }

    static OtelVariables Read(string variables) => OtelVariables.Of(variables.Split(' ', StringSplitOptions.RemoveEmptyEntries)
        .Select(v => v.Split('=', 2)).ToDictionary(v => v[0], v => v[1]));
}

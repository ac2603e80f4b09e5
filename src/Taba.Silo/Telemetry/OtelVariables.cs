using System.Collections;
using Taba.Grains;

namespace Taba.Silo.Telemetry;

/// <summary>
/// The standard variables of OpenTelemetry (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). A signal is
/// exported when an address is given for it or for all, unless its exporter is none.
/// </summary>
sealed class OtelVariables
{
    readonly IReadOnlyDictionary<string, string> _values;

    const string Prefix = "OTEL_";
    const string Disabled = "OTEL_SDK_DISABLED";
    static readonly string[] s_signals = ["METRICS", "TRACES", "LOGS"];

    OtelVariables(IReadOnlyDictionary<string, string> values) => _values = values;

    /// <summary>
    /// What exporters read, with full names, from the host's configuration. The switch for all is obeyed here: Prometheus is not meant.
    /// </summary>
    public IEnumerable<KeyValuePair<string, string?>> ForExporters =>
        _values.Where(v => v.Key != Disabled).Select(v => new KeyValuePair<string, string?>(v.Key, v.Value));

    public bool Metrics => Exports("METRICS");

    public bool Traces => Exports("TRACES");

    public bool Logs => Exports("LOGS");

    /// <summary>OTEL_SERVICE_NAME, else service.name of OTEL_RESOURCE_ATTRIBUTES, else taba.</summary>
    public string ServiceName => Value("OTEL_SERVICE_NAME") ?? Attribute("service.name") ?? "taba";

    /// <summary>service.instance.id of OTEL_RESOURCE_ATTRIBUTES; null when it is left to the silo's name.</summary>
    public string? InstanceId => Attribute("service.instance.id");

    /// <exception cref="BadInputException">A value that no exporter could use.</exception>
    public static OtelVariables Read()
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            if (variable.Key is string name && name.StartsWith(Prefix, StringComparison.Ordinal)
                && variable.Value is string { Length: > 0 } value)
                values[name] = value;
        }
        return Of(values);
    }

    /// <inheritdoc cref="Read"/>
    public static OtelVariables Of(IReadOnlyDictionary<string, string> values)
    {
        var read = new OtelVariables(values);
        read.Require();
        return read;
    }

    void Require()
    {
        foreach (var signal in s_signals.Select(s => $"_{s}").Prepend(""))
        {
            var endpoint = $"OTEL_EXPORTER_OTLP{signal}_ENDPOINT";
            if (Value(endpoint) is { } address
                && !(Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https"))
                throw new BadInputException($"{endpoint} is '{address}': it must be an address such as http://collector:4317.");
            var protocol = $"OTEL_EXPORTER_OTLP{signal}_PROTOCOL";
            if (Value(protocol) is { } name && name is not ("grpc" or "http/protobuf"))
                throw new BadInputException($"{protocol} is '{name}': it must be grpc or http/protobuf.");
        }
        foreach (var signal in s_signals)
        {
            var exporter = $"OTEL_{signal}_EXPORTER";
            if (Value(exporter) is { } name && name is not ("otlp" or "none"))
                throw new BadInputException(
                    $"{exporter} is '{name}': it must be otlp or none. Prometheus reads the metrics at Taba:Web:OperationsPort.");
        }
    }

    bool Exports(string signal)
    {
        if (string.Equals(Value(Disabled), "true", StringComparison.OrdinalIgnoreCase))
            return false;
        return Value($"OTEL_{signal}_EXPORTER") switch
        {
            "none" => false,
            "otlp" => true,
            _ => Value("OTEL_EXPORTER_OTLP_ENDPOINT") is not null || Value($"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT") is not null,
        };
    }

    string? Value(string name) => _values.GetValueOrDefault(name);

    string? Attribute(string name) => Value("OTEL_RESOURCE_ATTRIBUTES")?.Split(',', StringSplitOptions.TrimEntries)
        .Select(pair => pair.Split('=', 2)).Where(pair => pair.Length == 2 && pair[0].Trim() == name)
        .Select(pair => Uri.UnescapeDataString(pair[1].Trim())).LastOrDefault();
}

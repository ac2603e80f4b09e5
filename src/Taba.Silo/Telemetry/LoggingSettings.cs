using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;

namespace Taba.Silo.Telemetry;

/// <summary>The form of the lines that a silo logs.</summary>
sealed class LoggingSettings
{
    public const string Section = "Taba:Logging";

    /// <summary>text for people, json for programs: a line for each, on standard error.</summary>
    [RegularExpression("^(text|json)$", ErrorMessage = "it must be text or json")]
    public string Format { get; set; } = "text";

    public static LoggingSettings Of(IConfiguration configuration) => configuration.GetSection(Section).Get<LoggingSettings>() ?? new();
}

static class ConsoleLogging
{
    /// <summary>Logs to the terminal as the settings say.</summary>
    /// <param name="timestamps">How text lines begin; null for none. JSON lines always have their time.</param>
    public static ILoggingBuilder AddTabaConsole(this ILoggingBuilder logging, LoggingSettings settings, string? timestamps) =>
        settings.Format == "json"
            ? logging.AddJsonConsole(
                o => (o.UseUtcTimestamp, o.TimestampFormat, o.IncludeScopes) = (true, "yyyy-MM-ddTHH:mm:ss.fffZ", false))
            : logging.AddSimpleConsole(o => (o.SingleLine, o.TimestampFormat, o.UseUtcTimestamp) = (true, timestamps, true));
}

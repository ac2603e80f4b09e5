using Taba.Grains.Sweeps;
using Taba.Grains.Words;

namespace Taba.Client.Progress;

/// <summary>An entry of a sweep's log as JSON.</summary>
static class LogJson
{
    public static object Of(SweepLogEntry entry, string sweepId) => new
    {
        @event = "log",
        id = sweepId,
        at = entry.At.UtcDateTime,
        kind = LogText.Word(entry.Kind),
        text = LogText.Of(entry),
        by = entry.By,
        host = entry.Host,
        stage = entry.Stage,
        reason = entry.Reason,
        count = entry.Count,
    };
}

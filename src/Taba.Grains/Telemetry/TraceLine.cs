using System.Diagnostics;

namespace Taba.Grains.Telemetry;

/// <summary>
/// Carries a trace from the client to a segment: sweep, stage, part, segment. Workers pull, so their calls do not descend from the
/// client's: the identity of the span above travels in the sweep's state, the stage's demand and the lease (W3C Trace Context,
/// <c>traceparent</c>).
/// </summary>
public static class TraceLine
{
    const string Key = "traceparent";

    /// <summary>Spans of grains and of the silo's work on parts.</summary>
    public static readonly ActivitySource Source = new("Taba.Silo", typeof(TraceLine).Assembly.GetName().Version?.ToString(3));

    /// <summary>Gives the calls that this flow makes from now on a span that they descend from.</summary>
    public static void Send(Activity? span)
    {
        if (span?.Id is { } id)
            RequestContext.Set(Key, id);
    }

    /// <summary>The span that the present call descends from; null when its caller has none.</summary>
    public static string? Received => RequestContext.Get(Key) as string;

    /// <summary>Begins a span below another one, which may have ended; null when nobody listens.</summary>
    /// <param name="parent">A <c>traceparent</c>; anything else begins a trace of its own.</param>
    public static Activity? Begin(string name, string? parent) => Source.StartActivity(
        name, ActivityKind.Internal, ActivityContext.TryParse(parent, null, isRemote: true, out var context) ? context : default);

    /// <summary>Begins the span of a stage.</summary>
    /// <inheritdoc cref="Begin" path="/param"/>
    public static Activity? BeginStage(string stageKey, StageKind kind, string? parent) =>
        TraceLine.Begin("stage", parent)?.SetTag("taba.stage", stageKey).SetTag("taba.stage.kind", kind.ToString().ToLowerInvariant());
}

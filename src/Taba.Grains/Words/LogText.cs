using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Words;

/// <summary>The log of a sweep in words.</summary>
public static class LogText
{
    /// <summary>What happened, as a clause without its time; who did it stands in it.</summary>
    public static string Of(SweepLogEntry entry)
    {
        var by = entry.By is { } who ? $" by {who}" : "";
        var stage = entry.StageName ?? "several stages";
        return entry.Kind switch
        {
            SweepLogKind.Submitted => $"submitted{by}",
            SweepLogKind.Paused => $"paused{by}",
            SweepLogKind.Resumed => $"resumed{by}",
            SweepLogKind.Cancelled => $"cancelled{by}",
            SweepLogKind.Retried => $"retried{by}",
            SweepLogKind.HostFailed => $"host {entry.Host} failed at {stage}: {entry.Reason}",
            SweepLogKind.HostWorks => $"host {entry.Host} gets parts of {stage} again when it asks",
            SweepLogKind.GivenUp => $"{Samples(entry.Count)} of {stage} given up: {entry.Reason}",
            SweepLogKind.Lost => Lost(entry),
            SweepLogKind.Silent => $"{stage} does not answer: {entry.Reason}",
            SweepLogKind.Answers => $"{stage} answers again",
            SweepLogKind.Refused => $"silo {entry.Host} does not work on it: {entry.Reason}",
            SweepLogKind.StageDone => $"{stage} is done: {Quantities.Count(entry.Count)} rows",
            SweepLogKind.Stuck => $"nothing goes on, and it is tried again: {entry.Reason}",
            SweepLogKind.Ended => $"ended: {SweepText.Word(entry.State ?? SweepState.Completed)}",
            _ => entry.Reason ?? entry.Kind.ToString().ToLowerInvariant(),
        };
    }

    /// <summary>A kind's one word, for programs: <c>host-failed</c>.</summary>
    public static string Word(SweepLogKind kind) => string.Concat(kind.ToString().Select(
        (c, i) => char.IsUpper(c) ? $"{(i == 0 ? "" : "-")}{char.ToLowerInvariant(c)}" : $"{c}"));

    static string Lost(SweepLogEntry entry)
    {
        var parts = entry.Count == 1 ? "1 part" : $"{Quantities.Count(entry.Count)} parts";
        var again = entry.Evaluations switch
        {
            0 => "handed out again",
            1 => "handed out again, up to 1 evaluation is made again",
            var evaluations => $"handed out again, up to {Quantities.Count(evaluations)} evaluations are made again",
        };
        return entry.How switch
        {
            LeaseEnd.Expired => $"silo {entry.Host} said nothing of {parts} for too long: {again}",
            LeaseEnd.Stuck => $"silo {entry.Host} did not get on with {parts}: {again}",
            _ => $"lost with silo {entry.Host}: {parts}, {again}",
        };
    }

    static string Samples(long count) => count == 1 ? "1 sample" : $"{Quantities.Count(count)} samples";
}

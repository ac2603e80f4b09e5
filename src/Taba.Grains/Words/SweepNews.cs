using System.Collections.Immutable;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Words;

/// <summary>What happened to the stages of a sweep: the difference between what they say and what its log has of them.</summary>
/// <param name="Entries">For the log.</param>
/// <param name="Seen">What the log has of the stages with these.</param>
public sealed record SweepNews(ImmutableArray<SweepLogEntry> Entries, ImmutableArray<StageSeen> Seen)
{
    /// <summary>Compares.</summary>
    /// <param name="stages">What stages say: those that said something since the last time, or all.</param>
    /// <param name="seen">What the log has of them; of a stage that is not there, nothing.</param>
    /// <param name="name">Names a stage by its key.</param>
    /// <param name="since">When the sweep was submitted: what was lost before is not its.</param>
    public static SweepNews Of(
        IEnumerable<StageStatus> stages, ImmutableArray<StageSeen> seen, Func<string, string> name, DateTimeOffset since,
        DateTimeOffset now)
    {
        var before = seen.ToDictionary(s => s.Key);
        var entries = ImmutableArray.CreateBuilder<SweepLogEntry>();
        foreach (var stage in stages)
        {
            var then = before.GetValueOrDefault(stage.Key) ?? new(stage.Key);
            // A stage that does not answer stands as it was: all that is new of it is that.
            var current = stage.Silence is null ? Of(stage, then) : then with { Silent = true };
            List<PartsLoss> losses = stage.Silence is null ? [.. stage.Losses.Where(l => l.At > then.LostAt && l.At >= since)] : [];
            entries.AddRange(
                Told(stage, then, current, losses, now).Select(e => e with { Stage = stage.Key, StageName = name(stage.Key) }));
            before[stage.Key] = current;
        }
        return new(entries.ToImmutable(), [.. before.Values.Where(s => !s.IsEmpty)]);
    }

    static StageSeen Of(StageStatus stage, StageSeen then) => new(stage.Key)
    {
        Done = IsDone(stage),
        Failed = stage.RowsFailed,
        LostAt = stage.Losses.Select(l => l.At).Append(then.LostAt).Max(),
        Paused = [.. stage.Pauses.Select(p => p.Host)],
        Refusing = [.. stage.Refusals.Select(r => r.Silo)],
        Stuck = stage.Fault is not null,
    };

    static bool IsDone(StageStatus stage) => stage.RowsWanted > 0 && stage.RowsDone + stage.RowsFailed >= stage.RowsWanted;

    static IEnumerable<SweepLogEntry> Told(
        StageStatus stage, StageSeen then, StageSeen current, IReadOnlyList<PartsLoss> losses, DateTimeOffset now)
    {
        if (stage.Silence is { } silence)
        {
            if (!then.Silent)
                yield return new(now, SweepLogKind.Silent) { Reason = silence };
            yield break;
        }
        if (then.Silent)
            yield return new(now, SweepLogKind.Answers);
        foreach (var loss in losses)
            yield return new(now, SweepLogKind.Lost)
            {
                Host = loss.Host, How = loss.How, Count = loss.Parts, Evaluations = loss.Evaluations,
            };
        foreach (var pause in stage.Pauses.Where(p => !then.Paused.Contains(p.Host)))
            yield return new(now, SweepLogKind.HostFailed) { Host = pause.Host, Reason = pause.Reason };
        foreach (var host in current.Done ? [] : then.Paused.Except(current.Paused))
            yield return new(now, SweepLogKind.HostWorks) { Host = host };
        foreach (var refusal in stage.Refusals.Where(r => !then.Refusing.Contains(r.Silo)))
            yield return new(now, SweepLogKind.Refused) { Host = refusal.Silo, Reason = refusal.Reason };
        if (stage.RowsFailed > then.Failed)
            yield return new(now, SweepLogKind.GivenUp)
            {
                Count = stage.RowsFailed - then.Failed,
                Reason = stage.Failures.LastOrDefault()?.Reason ?? "their step failed",
            };
        if (stage.Fault is { } fault && !then.Stuck)
            yield return new(now, SweepLogKind.Stuck) { Reason = fault };
        // A stage that was there before the sweep asked is no news.
        if (current.Done && !then.Done && stage.RowsReused < stage.RowsWanted)
            yield return new(now, SweepLogKind.StageDone) { Count = stage.RowsDone };
    }
}

using Taba.Grains.Faults;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Words;

/// <summary>The states of sweeps, and what troubles them, in words.</summary>
public static class SweepText
{
    /// <summary>The first digits of an id, which people are shown.</summary>
    public const int IdDigits = 12;

    public static string Word(SweepEntry sweep) => Word(StateOf(sweep));

    /// <summary>A state's one spelling.</summary>
    public static string Word(SweepState state) => state switch
    {
        SweepState.CompletedWithFailures => "completed with failures",
        _ => state.ToString().ToLowerInvariant(),
    };

    /// <summary>The state that the list has of a sweep.</summary>
    public static SweepState StateOf(SweepEntry sweep) => sweep.Ended ?? (sweep.Paused ? SweepState.Paused : SweepState.Running);

    /// <summary>Sentences on what a sweep waits for, and on silos that take no part in it.</summary>
    public static IEnumerable<string> Troubles(SweepStatus status)
    {
        foreach (var stage in status.Stages.Where(s => s.Silence is not null))
            yield return $"stage {StageNames.Of(stage.Kind)} ({Short(stage.Key)}) does not answer, and stands as it was seen last: "
                + stage.Silence;
        foreach (var refusal in status.Refusals)
            yield return $"silo {refusal.Silo} does not work on it: {refusal.Reason}";
        foreach (var pause in status.Pauses)
            yield return Sentence(pause);
        if (status.Fault is { } fault)
            yield return $"waits and tries again: {fault}";
    }

    /// <summary>A host that failed, and when it is asked again.</summary>
    public static string Sentence(HostPause pause)
    {
        var often = pause.Failures == 1 ? "failed" : $"failed {pause.Failures} times in a row";
        var then = pause.Remaining == TimeSpan.MaxValue ? "is asked again when the sweep is submitted again"
            : pause.Remaining > TimeSpan.Zero ? $"is asked again in {Quantities.Duration(pause.Remaining)}"
            : "is asked again now";
        return $"host {pause.Host} {often} and {then}: {pause.Reason}";
    }

    /// <summary>The beginning of an id or a key.</summary>
    public static string Short(string id) => id.Length > IdDigits ? id[..IdDigits] : id;
}

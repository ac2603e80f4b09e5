using Taba.Grains.Dispatch;
using Taba.Grains.Sweeps;
using Taba.Grains.Waits;

namespace Taba.Client.Progress;

/// <summary>What is known beyond a sweep's status of why its stages wait.</summary>
/// <param name="Standing">What the dispatcher says; null when it did not answer, or was not asked.</param>
/// <param name="DevicesWorking">Devices that take work; null when that is not known.</param>
sealed record WaitKnowledge(DispatchStanding? Standing, int? DevicesWorking)
{
    public static readonly WaitKnowledge None = new(null, null);
}

/// <summary>Why stages wait: a line for each kind of reason, whatever the number of stages.</summary>
static class WaitLines
{
    /// <param name="names">Names of stages by key.</param>
    public static IReadOnlyList<string> Of(
        SweepPlan plan, SweepStatus status, IReadOnlyDictionary<string, string> names, WaitKnowledge known)
    {
        var waits = ByStage(plan, status, names, known);
        return
        [
            .. status.Stages.Where(s => waits.TryGetValue(s.Key, out var wait) && wait.Kind is not WaitKind.HandedOut)
                .GroupBy(s => waits[s.Key].Kind).Select(g => (Stages: g.Count(), g.First().Key, waits[g.First().Key].Text))
                .Select(w => w.Stages == 1
                    ? $"{names.GetValueOrDefault(w.Key, w.Key)} waits. {w.Text}"
                    : $"{w.Stages} stages wait, such as {names.GetValueOrDefault(w.Key, w.Key)}. {w.Text}"),
        ];
    }

    /// <summary>Why each stage waits that does, by its key.</summary>
    public static IReadOnlyDictionary<string, StageWait> ByStage(
        SweepPlan plan, SweepStatus status, IReadOnlyDictionary<string, string> names, WaitKnowledge known)
    {
        var facts = new WaitFacts(plan, status, names) { Standing = known.Standing, DevicesWorking = known.DevicesWorking };
        return status.Stages.Select(s => (s.Key, Wait: Waiting.Of(s, facts))).Where(w => w.Wait is not null)
            .ToDictionary(w => w.Key, w => w.Wait!);
    }
}

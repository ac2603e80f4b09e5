using Taba.Testing.Clusters;

namespace Taba.Chaos;

/// <summary>What the evaluations of a run tell about its disturbances.</summary>
static class EvaluationTrace
{
    /// <summary>Evaluations without those that had been made before.</summary>
    public static IEnumerable<SeenEvaluation> FirstTimes(IReadOnlyList<SeenEvaluation> seen) =>
        seen.DistinctBy(e => (e.Stage, e.Sample, e.Step));

    /// <summary>The most steps on end that any silo made of a sample which had been made before.</summary>
    public static int LongestRepeat(IReadOnlyList<SeenEvaluation> seen) => seen.GroupBy(e => (e.Stage, e.Sample)).Max(Repeats);

    /// <summary>
    /// Where each sample was evaluated that was set back by more than so many steps, life by life: what to look at when a
    /// checkpoint was lost.
    /// </summary>
    public static IEnumerable<string> SetBack(IReadOnlyList<SeenEvaluation> seen, int moreThan) => seen
        .GroupBy(e => (e.Stage, e.Sample))
        .Where(sample => Repeats(sample) > moreThan)
        .Select(sample => $"sample {sample.Key.Sample} of {sample.Key.Stage}: "
            + string.Join(", ", sample.Select(e => $"{e.Silo} {e.Step} at {e.At.TotalSeconds:F1}")));

    static int Repeats(IEnumerable<SeenEvaluation> sample)
    {
        var made = new HashSet<int>();
        var onEnd = new Dictionary<string, int>();
        var most = 0;
        foreach (var e in sample)
        {
            onEnd[e.Silo] = made.Add(e.Step) ? 0 : onEnd.GetValueOrDefault(e.Silo) + 1;
            most = Math.Max(most, onEnd[e.Silo]);
        }
        return most;
    }

    /// <summary>
    /// How long after a disturbance a sample that its victim had in hand, unfinished, was evaluated by another silo, or by a later
    /// life of the same one; null when the victim had none in hand, or all that it had was finished by itself.
    /// </summary>
    public static TimeSpan? Recovery(IReadOnlyList<SeenEvaluation> seen, IReadOnlySet<string> victims, TimeSpan at)
    {
        // A sample that made its last step waits for nothing but its part's others.
        var lastSteps = seen.GroupBy(e => e.Stage).ToDictionary(stage => stage.Key, stage => stage.Max(e => e.Step));
        var inHand = seen
            .Where(e => e.At <= at)
            .GroupBy(e => (e.Stage, e.Sample))
            .Where(sample => victims.Contains(sample.Last().Silo) && sample.Last().Step < lastSteps[sample.Key.Stage])
            .Select(sample => sample.Key)
            .ToHashSet();
        // Steps count up; one that was told a moment after the kill is still the victim's.
        var settled = at + TimeSpan.FromSeconds(1);
        foreach (var e in seen.Where(e => e.At > settled))
        {
            if (inHand.Contains((e.Stage, e.Sample)))
                return e.At - at;
        }
        return null;
    }

    /// <summary>The longest time in which no silo evaluated anything.</summary>
    public static TimeSpan LongestSilence(IReadOnlyList<SeenEvaluation> seen) =>
        seen.Zip(seen.Skip(1)).Select(pair => pair.Second.At - pair.First.At).Append(TimeSpan.Zero).Max();
}

using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Words;

/// <summary>Samples that failed, in words: the first reasons, and all rows as ranges.</summary>
public static class FailureText
{
    const int MostRanges = 16;

    /// <param name="name">Names a stage by its key.</param>
    public static IEnumerable<string> Lines(SweepStatus status, Func<string, string> name)
    {
        foreach (var stage in status.Stages)
        {
            foreach (var failure in stage.Failures)
                yield return $"sample {failure.Sample} of {name(stage.Key)} failed at step {failure.Step}: {failure.Reason}";
            if (stage.RowsFailed > stage.Failures.Length)
                yield return $"{stage.RowsFailed} samples of {name(stage.Key)} failed, for these reasons: rows {Text(stage.Failed.Rows())}";
        }
    }

    static string Text(RowSet rows) => rows.Ranges.Length <= MostRanges
        ? rows.ToString()
        : $"{string.Join(" ", rows.Ranges.Take(MostRanges))} and {rows.Ranges.Length - MostRanges} more ranges";
}

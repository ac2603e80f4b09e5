using System.Text.Json;
using Taba.Grains.Sweeps;
using Taba.Silo.Web.Json;

namespace Taba.Silo.Web.Sweeps;

/// <summary>Samples that were given up, as the JSON has them.</summary>
static class FailureJson
{
    /// <summary>Ranges of one kind, and kinds of all stages, that are listed; the counts tell of the rest.</summary>
    const int MostRanges = 64;

    public static FailuresView Of(PlanNames plan, SweepStatus status, int from, int count)
    {
        var failures = status.Failures;
        var ranges = status.Stages.SelectMany(stage => stage.Failed.Select(f => new FailedRangesView(
            stage.Key, plan.Name(stage.Key), Name(f.Kind), f.Rows.Count,
            [.. f.Rows.Ranges.Take(MostRanges).Select(r => (int[])[r.Start, r.End])])));
        return new(
            failures.Length, from,
            [
                .. failures.Skip(from).Take(count).Select(f => new FailureView(
                    f.StageKey, plan.Name(f.StageKey), f.Sample, f.Step, Name(f.Kind), f.Reason)),
            ],
            [.. ranges.Take(MostRanges)]);
    }

    static string Name<T>(T kind)
        where T : struct, Enum => JsonNamingPolicy.CamelCase.ConvertName(kind.ToString());
}

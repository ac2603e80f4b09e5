using System.Collections.Immutable;
using Taba.Grains.Faults;
using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>A sample whose attempts all died, also when it was alone.</summary>
static class DeadlySample
{
    /// <param name="lost">The attempts that ended; among them those at this sample alone.</param>
    public static SampleFailure Of(string stageKey, StageSpec spec, int sample, ImmutableArray<LostAttempt> lost)
    {
        var condition = spec.Conditions is { } conditions ? $", its condition {Describe(conditions, sample)}" : "";
        var deaths = lost.Where(l => l is { Strike: true, Alone: true } && l.Rows == new RowRange(sample, sample + 1)).ToList();
        var hosts = deaths.Select(l => l.Host).Distinct().ToList();
        var reason = $"{deaths.Count} attempts at this sample alone ended with their silo or engine, on {string.Join(", ", hosts)}; its "
            + $"input is {Describe(spec.Input, sample)}{condition}";
        return new(stageKey, sample, 0, reason) { Kind = FailureKind.Poison };
    }

    static string Describe(RowsRef rows, int sample) => rows switch
    {
        StageRows stage => $"row {sample} of stage {stage.Key}",
        NoiseRows noise => $"row {sample} of the noise with seed {noise.Seed}",
        FileRows file => $"row {sample} of {file.Path}",
        ImageRows images => $"picture {sample} of {images.Path}",
        _ => $"row {sample}",
    };
}

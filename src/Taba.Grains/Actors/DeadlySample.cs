using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>A sample whose attempts all died, also when it was alone.</summary>
static class DeadlySample
{
    /// <param name="strikes">The attempts at this sample alone that died.</param>
    public static SampleFailure Of(string stageKey, StageSpec spec, int sample, int strikes)
    {
        var condition = spec.Conditions is { } conditions ? $", its condition {Describe(conditions, sample)}" : "";
        var reason = $"{strikes} attempts at this sample alone ended with their silo or engine; its input is {Describe(spec.Input, sample)}"
            + condition;
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

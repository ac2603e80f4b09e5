using Taba.Grains.Stages;

namespace Taba.Grains.Actors;

/// <summary>What a stage reads of other stages.</summary>
static class StageInputs
{
    /// <summary>Rows whose inputs are all there: results of other stages, and what a swap needs kept of them.</summary>
    public static async Task<RowSet> ReadyAsync(IGrainFactory grains, StageSpec spec)
    {
        var inputs = RowSet.Of(new RowRange(0, int.MaxValue));
        if (spec.Input is StageRows input)
            inputs = inputs.Intersect(await Stage(input.Key).GetPublishedAsync(CaptureSelection.None));
        if (spec.Swap is { Source: StageRows source } swap)
            inputs = inputs.Intersect(
                await Stage(source.Key).GetPublishedAsync(CaptureSelection.ForSwap(swap.Kind, swap.Before, spec.NumInferenceSteps)));
        return inputs;

        IStageGrain Stage(string key) => grains.GetGrain<IStageGrain>(StageAddress.GrainKey(key));
    }
}

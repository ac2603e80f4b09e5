using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Scale;

/// <summary>Sweeps as a sweep file would plan them: samples from noise, and what depends on them.</summary>
static class ScaleSweep
{
    /// <summary>The sweeps of a run.</summary>
    /// <inheritdoc cref="Plan" path="/param"/>
    public static IReadOnlyList<SweepPlan> All(ScaleOptions options, int samples, long seed)
    {
        var source = Plan(options, samples, seed);
        return options.Dependents ? [.. Enumerable.Range(0, options.Sweeps).Select(i => Whole(options, source, i))] : [source];
    }

    /// <summary>
    /// Sample, invert, swap eps, swap x_t, forward. Another sweep has another forward noise, and swaps fewer steps of eps: what it keeps of
    /// the samples is part of what the first keeps.
    /// </summary>
    static SweepPlan Whole(ScaleOptions options, SweepPlan source, int number)
    {
        var before = Math.Max(2, options.Steps / 5);
        var sample = source.Stages[0];
        var invert = sample.Spec with { Kind = StageKind.Invert, Input = new StageRows(sample.Key) };
        StageSpec[] inversions =
        [
            invert,
            invert with { Swap = new(SwapKind.Eps, before - number, new StageRows(sample.Key), null) },
            invert with { Swap = new(SwapKind.Xt, before, new StageRows(sample.Key), null) },
            invert with
            {
                Forward = new(before, new NoiseRows(NoiseLayout.PerSample, 1 + number, Dtype.Float32, sample.Rows.Count)),
            },
        ];
        var stages = new List<PlannedStage>
        {
            sample with
            {
                Keep = inversions.Aggregate(CaptureSelection.None, (keep, i) => i.Swap is not { } swap ? keep
                    : keep.Union(CaptureSelection.ForSwap(swap.Kind, swap.Before, options.Steps))),
            },
        };
        foreach (var spec in inversions)
        {
            stages.Add(Planned(spec));
            if (options.Reconstruct)
            {
                var latents = new StageRows(stages[^1].Key);
                stages.Add(Planned(spec with { Kind = StageKind.Reconstruct, Input = latents, Swap = null, Forward = null }));
            }
        }
        return new($"{source.SweepId}-{number}", $"scale {number}", [.. stages], []) { Priority = number == 1 ? options.Priority : 0 };

        PlannedStage Planned(StageSpec spec) => new(StageKey.Of(spec), spec, sample.Rows, CaptureSelection.None);
    }

    /// <summary>A sweep of one stage.</summary>
    /// <param name="samples">N.</param>
    /// <param name="seed">Another seed, another stage.</param>
    public static SweepPlan Plan(ScaleOptions options, int samples, long seed)
    {
        var spec = new StageSpec
        {
            Kind = StageKind.Sample,
            Model = new("simulated", "simulated", "simulated", null, 1, 1, 1),
            NumInferenceSteps = options.Steps,
            Precision = new(Dtype.Float32, Dtype.Float32, Dtype.Float32),
            Input = new NoiseRows(NoiseLayout.PerSample, seed, Dtype.Float32, samples),
            Output = Shape(options.PartRows),
        };
        var key = StageKey.Of(spec);
        return new(key, "scale", [new(key, spec, new(0, samples), CaptureSelection.None)], []);
    }

    /// <summary>
    /// The grid cuts by the size of a row: one that is said to be so large that a part has the rows that are wanted. It is not
    /// written.
    /// </summary>
    static StateShape? Shape(int partRows)
    {
        if (partRows == PartGrid.MaxRows)
            return null;
        var shape = new StateShape(1, 1, (int)(PartGrid.MaxBytes / partRows / sizeof(float)));
        return PartGrid.RowsPerPart(shape.Bytes) == partRows
            ? shape
            : throw new ArgumentOutOfRangeException(
                nameof(partRows), partRows,
                $"The part grid has no parts of {partRows} rows: a power of two of at most {PartGrid.MaxRows} is one.");
    }
}

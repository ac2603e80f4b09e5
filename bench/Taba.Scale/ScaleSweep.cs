using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Scale;

/// <summary>A sweep of one stage that samples from noise.</summary>
static class ScaleSweep
{
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

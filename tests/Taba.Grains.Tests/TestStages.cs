using Taba.Grains.Sweeps;

namespace Taba.Grains.Tests;

/// <summary>Stages of a small model, complete enough to have keys.</summary>
static class TestStages
{
    /// <summary>3 x 8 x 8: a multiple of 16 values a row, so that the upstream noise of a row does not depend on N.</summary>
    public static readonly ModelIdentity Model = new("digest-of-small", "gaussian", "models/small/model.json", null, 3, 8, 8);

    public static readonly Precision Float32 = new(Dtype.Float32, Dtype.Float32, Dtype.Float32);

    public static readonly StageSpec Sample = new()
    {
        Kind = StageKind.Sample,
        Model = Model,
        NumInferenceSteps = 10,
        Precision = Float32,
        Input = Noise(seed: 42, totalRows: 128),
    };

    public static NoiseRows Noise(long seed, int totalRows, NoiseLayout layout = NoiseLayout.Upstream) =>
        new(layout, seed, Dtype.Float32, totalRows);

    public static StageSpec InvertOf(StageSpec samples) =>
        samples with { Kind = StageKind.Invert, Input = new StageRows(StageKey.Of(samples)) };

    public static StageSpec ReconstructOf(StageSpec latents) =>
        latents with { Kind = StageKind.Reconstruct, Input = new StageRows(StageKey.Of(latents)), Swap = null, Forward = null };

    public static PlannedStage Planned(StageSpec spec, RowRange rows, CaptureSelection? keep = null) =>
        new(StageKey.Of(spec), spec, rows, keep ?? CaptureSelection.None);

    /// <summary>A plan of stages only, under an id that tests can name.</summary>
    public static SweepPlan Plan(string id, params PlannedStage[] stages) => new(id, id, [.. stages], []);

    /// <summary>Sample, invert, reconstruct over the same rows.</summary>
    public static SweepPlan Chain(string id, int rows, StageSpec? sample = null)
    {
        var samples = sample ?? Sample;
        var latents = InvertOf(samples);
        RowRange all = new(0, rows);
        return Plan(id, Planned(samples, all), Planned(latents, all), Planned(ReconstructOf(latents), all));
    }

    public static RowSet Rows(int start, int end) => RowSet.Of(new RowRange(start, end));
}

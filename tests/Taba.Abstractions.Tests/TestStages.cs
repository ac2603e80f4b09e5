namespace Taba.Abstractions.Tests;

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

    public static readonly StageSpec Invert = Sample with { Kind = StageKind.Invert, Input = new StageRows(StageKey.Of(Sample)) };

    public static NoiseRows Noise(long seed, int totalRows, NoiseLayout layout = NoiseLayout.Upstream) =>
        new(layout, seed, Dtype.Float32, totalRows);
}

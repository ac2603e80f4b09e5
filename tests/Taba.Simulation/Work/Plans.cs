using Taba.Grains.Sweeps;
using Taba.Simulation.Scheduling;

namespace Taba.Simulation.Work;

/// <summary>Plans of sweeps that share stages: samples, their inversion, reconstructions, an intervention or two.</summary>
sealed class Plans(Rng random, Settings settings)
{
    readonly ModelIdentity[] _models =
        [.. Enumerable.Range(0, 2).Select(i => new ModelIdentity($"model-{i}", "gaussian", $"models/{i}", null, 1, settings.Height, 1))];

    public SweepPlan Next(int number)
    {
        var sample = Sample();
        RowRange rows = new(0, random.Pick(settings.Rows));
        if (random.Chance(0.2))
            rows = new(rows.End / 2, rows.End);
        var stages = new List<PlannedStage>();
        var keep = CaptureSelection.None;
        var inverts = random.Chance(0.7);
        var swap = inverts && random.Chance(0.25) ? new SwapSetting(SwapKind.Eps, 2, new StageRows(StageKey.Of(sample)), null) : null;
        if (swap is not null)
            keep = CaptureSelection.ForSwap(swap.Kind, swap.Before, settings.Steps);
        Add(sample, keep);
        if (inverts)
        {
            var latents = sample with { Kind = StageKind.Invert, Input = new StageRows(StageKey.Of(sample)) };
            Add(latents, CaptureSelection.None);
            if (settings.Measures)
                Measure(latents);
            if (random.Chance(0.5))
                Add(Reconstruct(latents), CaptureSelection.None);
            if (swap is not null)
                Add(latents with { Swap = swap }, CaptureSelection.None);
            else if (random.Chance(0.4))
            {
                var forward = latents with { Forward = new(2, new NoiseRows(NoiseLayout.PerSample, 7, Dtype.Float32, 128)) };
                Add(forward, CaptureSelection.None);
                Add(Reconstruct(forward), CaptureSelection.None);
            }
        }
        return new($"sweep-{number}", $"sweep-{number}", [.. stages], []) { Priority = random.OneOf(0, 0, 0, 10) };

        void Measure(StageSpec latents)
        {
            var spec = sample with
            {
                Kind = StageKind.Measure,
                NumInferenceSteps = 0,
                Input = new StageRows(StageKey.Of(latents)),
                Measure = new(
                    ["paper"], [Tensor("samples", sample), Tensor("latents", latents)], rows, OfAll: random.Chance(0.3)),
            };
            // Of fewer rows than blocks the last of all are empty.
            if (rows.Count >= MeasureSetting.Blocks)
                stages.Add(new(StageKey.Of(spec), spec, MeasureSetting.AllBlocks, CaptureSelection.None));
        }

        static MeasuredTensor Tensor(string name, StageSpec of) =>
            new(name, name, new StageRows(StageKey.Of(of)), of.Model.Shape, Dtype.Float32);

        void Add(StageSpec spec, CaptureSelection kept) => stages.Add(new(StageKey.Of(spec), spec, rows, kept));
    }

    /// <summary>A sweep of one stage of its own that does not end while anybody looks.</summary>
    public SweepPlan Endless()
    {
        var spec = Sample() with { Model = _models[0], Input = new NoiseRows(NoiseLayout.PerSample, 3, Dtype.Float32, 1 << 20) };
        return new("endless", "endless", [new(StageKey.Of(spec), spec, new(0, 1 << 20), CaptureSelection.None)], []);
    }

    StageSpec Sample() => new()
    {
        Kind = StageKind.Sample,
        Model = random.Chance(0.8) ? _models[0] : _models[1],
        NumInferenceSteps = settings.Steps,
        Precision = new(Dtype.Float32, Dtype.Float32, Dtype.Float32),
        Input = new NoiseRows(NoiseLayout.PerSample, random.OneOf(1, 1, 2), Dtype.Float32, 128),
    };

    static StageSpec Reconstruct(StageSpec latents) =>
        latents with { Kind = StageKind.Reconstruct, Input = new StageRows(StageKey.Of(latents)), Swap = null, Forward = null };
}

using System.Globalization;
using System.Text.Json.Nodes;
using Taba.Diffusion.Metrics.Experiments;
using Taba.Diffusion.Metrics.PlainAreas;
using Taba.Diffusion.Metrics.Trajectories;

namespace Taba.Diffusion.Metrics.Analyses;

/// <summary>
/// Errors of each step of inversion inside and outside plain areas: its prediction against that of sampling over the same interval of noise
/// levels. Steps are read one after the other, some rows at a time.
/// </summary>
sealed class PlainAreaStepsAnalysis : RunAnalysis
{
    public static readonly TensorRole[] Needs = [TensorRole.Images];

    readonly IMetricRows _images;
    readonly IReadOnlyList<IMetricRows> _predicted;
    readonly IReadOnlyList<IMetricRows> _truth;
    readonly Sums<PlainAreaSteps> _areas;

    public PlainAreaStepsAnalysis(IRunTensors run)
    {
        _images = run.Tensor(TensorRole.Images)!;
        (_predicted, _truth) = (run.Steps(TrajectoryRole.InversionPredictions)!, run.Steps(TrajectoryRole.SamplingPredictions)!);
        _areas = Keep(new PlainAreaSteps(_predicted[0].Shape, _images.Shape, _predicted.Count));
    }

    /// <summary>Why a run's steps cannot be compared; null when they can.</summary>
    public static string? Lacks(IRunTensors run)
    {
        if (StepTensors.Lacks(run, TrajectoryRole.InversionPredictions, TrajectoryRole.SamplingPredictions) is { } why)
            return why;
        var (predicted, truth) = (run.Steps(TrajectoryRole.InversionPredictions)!, run.Steps(TrajectoryRole.SamplingPredictions)!);
        return predicted.Count == truth.Count
            ? StepTensors.Differ(run.Tensor(TensorRole.Images)!.Rows, null, predicted, truth)
            : $"inversion kept {predicted.Count} steps, sampling {truth.Count}";
    }

    public override void Measure(long first, long count, CancellationToken cancellationToken)
    {
        for (var step = 0; step < _predicted.Count; step++)
        {
            IMetricRows[] tensors = [_images, _predicted[step], _truth[PlainAreaSteps.TruthOf(step, _truth.Count)]];
            foreach (var rows in tensors.Together(first, count, cancellationToken))
                _areas.Value.Add(step, rows[0].Span, rows[1].Span, rows[2].Span);
        }
    }

    public override ExperimentNumbers Compute()
    {
        var steps = _areas.Value.Compute();
        var numbers = StepTensors.ByStep(
            steps.Select(step => new JsonObject { ["plain"] = Area(step.Plain), ["other"] = Area(step.Other) }));
        numbers["plain_fraction"] = steps[0].Fraction;
        return new(numbers, []);
    }

    static JsonObject Area(AreaErrors area) => new()
    {
        ["error"] = area.Error, ["inversion_std"] = area.PredictionStd, ["sampling_std"] = area.TruthStd,
    };
}

/// <summary>
/// Where states run between noise and latent: distances to points of the line at each step, and how many are closer to which end. Step 0 is
/// where a trajectory begins: the noise in sampling, the sample in inversion.
/// </summary>
sealed class TrajectoriesAnalysis : RunAnalysis
{
    public static readonly TensorRole[] Needs = [TensorRole.Noise, TensorRole.Samples, TensorRole.Latents];

    static readonly (string Name, TrajectoryRole Role, TensorRole Start)[] s_trajectories =
    [
        ("sampling", TrajectoryRole.SamplingStates, TensorRole.Noise), ("inversion", TrajectoryRole.InversionStates, TensorRole.Samples),
    ];

    readonly IRunTensors _run;
    readonly List<(string Name, List<IMetricRows> States, Sums<TrajectoryDistances> Distances)> _trajectories = [];

    public TrajectoriesAnalysis(IRunTensors run)
    {
        _run = run;
        foreach (var (name, role, start) in s_trajectories)
        {
            if (run.Steps(role) is not { } steps)
                continue;
            List<IMetricRows> states = [run.Tensor(start)!, .. steps];
            _trajectories.Add((name, states, Keep(new TrajectoryDistances(run.ShapeOf(Needs), states.Count))));
        }
    }

    /// <summary>Why a run has no trajectories; null when it has one.</summary>
    public static string? Lacks(IRunTensors run)
    {
        var kept = s_trajectories.Select(t => run.Steps(t.Role)).OfType<IReadOnlyList<IMetricRows>>().ToList();
        var noise = run.Tensor(TensorRole.Noise)!;
        return kept.Count == 0 ? StepTensors.NotKept : StepTensors.Differ(noise.Rows, noise.Shape, [.. kept]);
    }

    public override void Measure(long first, long count, CancellationToken cancellationToken)
    {
        foreach (var (_, states, distances) in _trajectories)
        {
            for (var step = 0; step < states.Count; step++)
            {
                IMetricRows[] tensors = [states[step], _run.Tensor(TensorRole.Noise)!, _run.Tensor(TensorRole.Latents)!];
                foreach (var rows in tensors.Together(first, count, cancellationToken))
                    distances.Value.Add(step, rows[0].Span, rows[1].Span, rows[2].Span);
            }
        }
    }

    public override ExperimentNumbers Compute() => new(
        new(_trajectories.Select(trajectory => KeyValuePair.Create<string, JsonNode?>(
            trajectory.Name, StepTensors.ByStep(trajectory.Distances.Value.Compute().Select(Step))))),
        []);

    static JsonObject Step(TrajectoryStep step) => new()
    {
        ["closer_to_noise"] = step.CloserToNoise,
        ["closer_to_latent"] = step.CloserToLatent,
        ["distances"] = new JsonArray([.. step.Distances.Select(distance => JsonValue.Create(distance))]),
    };
}

/// <summary>What analyses of steps ask of a run.</summary>
static class StepTensors
{
    public const string NotKept = "the run kept no steps (internal: true, or --internal)";

    /// <summary>Why steps are not there; null when they are.</summary>
    public static string? Lacks(IRunTensors run, params TrajectoryRole[] roles) =>
        roles.All(role => run.Steps(role) is { Count: > 0 }) ? null : NotKept;

    /// <summary>How steps are not of the samples that they should be of; null when they are.</summary>
    public static string? Differ(long rows, StateShape? shape, params IReadOnlyList<IMetricRows>[] trajectories)
    {
        var (all, wanted) = (trajectories.SelectMany(steps => steps).ToList(), shape ?? trajectories[0][0].Shape);
        return all.Find(step => step.Rows != rows || step.Shape != wanted) is { } other
            ? $"{other.Identity} is [{other.Rows}, {other.Shape}] where [{rows}, {wanted}] belongs"
            : null;
    }

    public static JsonObject ByStep(IEnumerable<JsonObject> steps) =>
        new(steps.Select((step, i) => KeyValuePair.Create<string, JsonNode?>(i.ToString(CultureInfo.InvariantCulture), step)));
}

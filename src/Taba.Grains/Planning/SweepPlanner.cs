using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Planning;

/// <summary>Turns what a user asks for into a tree of stages and the run folders that show them. Touches nothing.</summary>
public sealed class SweepPlanner(IModelCatalogue catalogue, IInputFiles files, string deviceKind)
{
    /// <summary>The batch shape to which <c>--deterministic</c> pins every forward.</summary>
    public const int DeterministicBatch = 16;

    readonly Dictionary<string, PlannedStage> _stages = [];
    readonly List<string> _order = [];

    /// <exception cref="BadInputException">Anything that cannot be run as asked.</exception>
    public SweepPlan Plan(SweepSpec spec)
    {
        _stages.Clear();
        _order.Clear();
        SweepRules.Check(spec);
        var runs = ImmutableArray.CreateBuilder<PlannedRun>();
        foreach (var selection in spec.Models)
        {
            var model = catalogue.Resolve(selection);
            var inputs = RunInputs.Read(spec, model, files);
            foreach (var numInferenceSteps in spec.NumInferenceSteps)
            {
                SweepRules.CheckSteps(spec, model, numInferenceSteps);
                foreach (var seed in spec.Seeds)
                    PlanCell(spec, model, inputs, numInferenceSteps, seed, runs);
            }
        }
        var stages = _order.Select(key => _stages[key]).ToImmutableArray();
        var duplicate = runs.GroupBy(r => r.Slug).FirstOrDefault(g => g.Count() > 1);
        if (duplicate is not null)
            throw new BadInputException($"Two runs of sweep {spec.Name} would share the folder {duplicate.Key}: an axis or intervention is given twice. Remove one.");
        return new SweepPlan(SweepId(spec.Name, stages, runs), spec.Name, stages, runs.ToImmutable());
    }

    void PlanCell(SweepSpec spec, ModelFacts model, RunInputs inputs, int numInferenceSteps, long seed, ImmutableArray<PlannedRun>.Builder runs)
    {
        var precision = model.Resolve(spec.Precision);
        var template = new StageSpec
        {
            Kind = StageKind.Sample,
            Model = model.Identity,
            NumInferenceSteps = numInferenceSteps,
            Precision = precision,
            Input = inputs.Noise ?? (RowsRef)new NoiseRows(spec.Noise, seed, precision.Noise, inputs.TotalRows),
            Conditions = inputs.Conditions,
            Determinism = spec.Deterministic ? new(DeterministicBatch, deviceKind) : null,
        };
        var noise = inputs.Images is null ? template.Input : inputs.Noise;
        var executed = CaptureSelection.Of(spec.Internal, 0, numInferenceSteps);

        string? samplesKey = null;
        RowsRef images;
        if (inputs.Images is { } given)
            images = given;
        else
        {
            var swaps = spec.Interventions.Where(i => i is { Kind: not InterventionKind.Forward, Before: > 0, SwapPath: null });
            var keep = swaps.Aggregate(executed, (k, i) => k.Union(CaptureSelection.ForSwap(i.Kind, i.Before, numInferenceSteps)));
            samplesKey = Add(template, inputs.Rows, keep);
            images = new StageRows(samplesKey);
        }

        var interventions = spec.Interventions.Where(i => i.Before > 0).Select(i => (Intervention?)i);
        if (spec.WithPlainRun || spec.Interventions.Any(i => i.Before == 0))
            interventions = interventions.Prepend(null);
        foreach (var intervention in interventions)
        {
            var tensors = ImmutableArray.CreateBuilder<RunTensor>();
            if (noise is not null)
                tensors.Add(new("noise", noise, TensorKinds.None, []));
            if (inputs.Conditions is { } conditions)
                tensors.Add(new("conds", conditions, TensorKinds.None, []));
            tensors.Add(new("samples", images, TensorKinds.None, []));
            if (intervention is null && samplesKey is not null)
                AddCaptures(tensors, template, samplesKey, executed);
            if (spec.WithInversion)
            {
                var invert = Invert(spec, template, inputs, images, samplesKey, noise, intervention);
                var kept = CaptureSelection.Of(spec.Internal, invert.FirstStep, numInferenceSteps);
                var latents = Add(invert, inputs.Rows, kept);
                tensors.Add(new("latents", new StageRows(latents), TensorKinds.None, []));
                AddCaptures(tensors, invert, latents, kept);
                if (spec.WithReconstruction)
                {
                    var reconstruct = template with { Kind = StageKind.Reconstruct, Input = new StageRows(latents) };
                    var key = Add(reconstruct, inputs.Rows, executed);
                    tensors.Add(new("samples2", new StageRows(key), TensorKinds.None, []));
                    AddCaptures(tensors, reconstruct, key, executed);
                }
            }
            runs.Add(new PlannedRun(
                Slug(model.Slug, numInferenceSteps, seed, intervention),
                [new("model", model.Slug), new("num_inference_steps", $"{numInferenceSteps}"), new("seed", $"{seed}")],
                intervention, inputs.Rows, model.Identity, tensors.ToImmutable()));
        }
    }

    StageSpec Invert(
        SweepSpec spec, StageSpec template, RunInputs inputs, RowsRef images, string? samplesKey, RowsRef? noise, Intervention? intervention)
    {
        var invert = template with { Kind = StageKind.Invert, Input = images };
        switch (intervention)
        {
            case null:
                return invert;
            case { Kind: InterventionKind.Forward }:
                return invert with
                {
                    Forward = new(intervention.Before, new NoiseRows(spec.ForwardNoise, intervention.Seed, template.Precision.State, inputs.TotalRows)),
                };
            default:
                RowsRef source = intervention.SwapPath is { } path
                    ? inputs.Swap(path, template.NumInferenceSteps, files)
                    : new StageRows(samplesKey ?? throw new BadInputException(
                        $"{intervention.Slug} needs the true predictions of sampling, and the images come from a file: give them with --swap_path (swap.path in a sweep)."));
                if (intervention.Kind == InterventionKind.SwapXt && intervention.Before == template.NumInferenceSteps && noise is null)
                {
                    throw new BadInputException(
                        $"swap_before_t {intervention.Before} with swap_type xt replaces every step, the last by the initial noise, which is not known here: "
                        + $"give it with --input_noise_path, or a K of at most {template.NumInferenceSteps - 1}.");
                }
                return invert with { Swap = new(intervention.Kind, intervention.Before, source, noise) };
        }
    }

    string Add(StageSpec stage, RowRange rows, CaptureSelection keep)
    {
        var key = StageKey.Of(stage);
        if (_stages.TryGetValue(key, out var planned))
            _stages[key] = planned with { Keep = planned.Keep.Union(keep) };
        else
        {
            _stages[key] = new PlannedStage(key, stage, rows, keep);
            _order.Add(key);
        }
        return key;
    }

    static void AddCaptures(ImmutableArray<RunTensor>.Builder tensors, StageSpec stage, string key, CaptureSelection kept)
    {
        foreach (var kind in kept.Kinds)
            tensors.Add(new(stage.CaptureName(kind), new StageRows(key), kind, kept.Steps(kind)));
    }

    static string Slug(string model, int numInferenceSteps, long seed, Intervention? intervention)
    {
        var slug = $"{model}_T{numInferenceSteps}_seed{seed}";
        return intervention switch
        {
            null => slug,
            { Kind: InterventionKind.Forward } => $"{slug}_{intervention.Slug}_seed{intervention.Seed}",
            _ => $"{slug}_{intervention.Slug}",
        };
    }

    static string SweepId(string name, ImmutableArray<PlannedStage> stages, IEnumerable<PlannedRun> runs)
    {
        var text = new StringBuilder(name).Append('\n');
        foreach (var stage in stages)
            text.Append(stage.Key).Append(' ').Append(stage.Rows).Append(' ').AppendJoin(',', stage.Keep.State).Append(';')
                .AppendJoin(',', stage.Keep.Eps).Append(';').AppendJoin(',', stage.Keep.PredXstart).Append('\n');
        text.AppendJoin('\n', runs.Select(r => r.Slug));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..16];
    }
}

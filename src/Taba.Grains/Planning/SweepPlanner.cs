using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Taba.Grains.Sweeps;

namespace Taba.Grains.Planning;

/// <summary>Turns what a user asks for into a tree of stages and the run folders that show them. Touches nothing.</summary>
/// <param name="catalogue">What is known of models.</param>
/// <param name="files">What is known of files that the user gives.</param>
/// <param name="deviceKind">The kind of device that the sweep runs on.</param>
public sealed class SweepPlanner(IModelCatalogue catalogue, IInputFiles files, string deviceKind)
{
    /// <summary>The batch shape to which <c>--deterministic</c> pins every forward.</summary>
    public const int DeterministicBatch = 16;

    /// <summary>Digits of a digest that tell the models of a sweep apart.</summary>
    const int DigestDigits = 8;

    readonly Dictionary<string, PlannedStage> _stages = [];
    readonly List<string> _order = [];

    /// <exception cref="BadInputException">Anything that cannot be run as asked.</exception>
    public SweepPlan Plan(SweepSpec spec)
    {
        _stages.Clear();
        _order.Clear();
        SweepRules.Check(spec);
        var runs = ImmutableArray.CreateBuilder<PlannedRun>();
        PictureStages.Check(spec);
        var models = spec.Models.Select(selection => (Facts: catalogue.Resolve(selection), selection.Checkpoint)).ToList();
        var pictures = PictureStages.Read(spec, files);
        foreach (var (model, checkpoint) in models)
        {
            var inputs = RunInputs.Read(spec, model, files);
            var name = Name(model, models.Where(m => m.Checkpoint == checkpoint).Select(m => m.Facts));
            foreach (var cell in SweepCell.Of(spec, name, checkpoint))
            {
                SweepRules.CheckSteps(spec, inputs.Model, cell);
                PlanCell(spec, inputs, cell, pictures, runs);
            }
        }
        var stages = _order.Select(key => _stages[key]).ToImmutableArray();
        var duplicate = runs.GroupBy(r => r.Slug).FirstOrDefault(g => g.Count() > 1);
        if (duplicate is not null)
            throw new BadInputException(
                $"Two runs of sweep {spec.Name} would share the folder {duplicate.Key}: an axis or intervention is given twice. Remove "
                + "one.");
        return new SweepPlan(SweepId(spec.Name, stages, runs), spec.Name, stages, runs.ToImmutable())
        {
            OnError = spec.OnError,
            Priority = spec.Priority,
            Version = ProgramVersion.Own,
            Files = PlannedFiles.Of(spec, deviceKind),
        };
    }

    void PlanCell(
        SweepSpec spec, RunInputs inputs, SweepCell cell, PictureStages? pictures, ImmutableArray<PlannedRun>.Builder runs)
    {
        var model = inputs.Model;
        var precision = model.Resolve(spec.Precision);
        var template = new StageSpec
        {
            Kind = StageKind.Sample,
            Model = model.Identity,
            NumInferenceSteps = cell.NumInferenceSteps,
            Precision = precision,
            Input = inputs.Noise ?? (RowsRef)new NoiseRows(spec.Noise, cell.Seed, precision.Noise, inputs.TotalRows),
            Conditions = inputs.Conditions,
            Guidance = cell.Guidance,
            Determinism = spec.Deterministic ? new(DeterministicBatch, deviceKind) : null,
        };
        var noise = inputs.Images is null ? template.Input : inputs.Noise;
        var executed = CaptureSelection.Of(spec.Internal.Kinds, spec.Internal.Every, 0, cell.NumInferenceSteps);
        var autoencoder = new AutoencoderStages(model, template, spec.WithDecoding);

        string? samplesKey = null;
        RowsRef images;
        if (inputs.Images is { } given)
            images = inputs.ArePictures ? new StageRows(Add(autoencoder.Encode(given), inputs.Rows, CaptureSelection.None)) : given;
        else
        {
            var swaps = spec.Interventions.Where(i => i is { Swap: not null, Before: > 0, SwapPath: null });
            var keep = swaps.Aggregate(
                executed, (k, i) => k.Union(CaptureSelection.ForSwap(i.Swap!.Value, i.Before, cell.NumInferenceSteps)));
            samplesKey = Add(template, inputs.Rows, keep);
            images = new StageRows(samplesKey);
        }

        var interventions = spec.Interventions.Where(i => i.Before > 0).Select(i => (Intervention?)i);
        if (spec.WithPlainRun || spec.Interventions.Any(i => i.Before == 0))
            interventions = interventions.Prepend(null);
        foreach (var intervention in interventions)
        {
            var tensors = new RunTensors(model, precision);
            if (noise is not null)
                tensors.AddNoise(noise);
            if (inputs.Conditions is not null and not PromptRows)
                tensors.AddConditions(inputs.Conditions);
            tensors.Add("samples", images);
            Decode("samples", images);
            if (intervention is null && samplesKey is not null)
                tensors.AddCaptures(template, samplesKey, executed);
            if (spec.WithInversion)
            {
                var steps = cell.StepsOfInversion;
                var back = template with { NumInferenceSteps = steps };
                var invert = Invert(spec, back, inputs, images, samplesKey, noise, intervention);
                var kept = CaptureSelection.Of(spec.Internal.Kinds, spec.Internal.Every, invert.FirstStep, steps);
                var latents = Add(invert, inputs.Rows, kept);
                tensors.Add("latents", new StageRows(latents));
                tensors.AddCaptures(invert, latents, kept);
                if (spec.WithReconstruction)
                {
                    var reconstruct = back with { Kind = StageKind.Reconstruct, Input = new StageRows(latents) };
                    var keptAgain = CaptureSelection.Of(spec.Internal.Kinds, spec.Internal.Every, 0, steps);
                    var key = Add(reconstruct, inputs.Rows, keptAgain);
                    tensors.Add("samples2", new StageRows(key));
                    tensors.AddCaptures(reconstruct, key, keptAgain);
                    Decode("samples2", new StageRows(key));
                }
            }
            var run = new PlannedRun(
                cell.Slug(intervention),
                [.. cell.Axes()],
                intervention, inputs.Rows, model.Identity, tensors.Build())
            {
                Prompts = inputs.Conditions as PromptRows,
                Images = autoencoder.ImagesOf(spec),
                Analyses = spec.WithMetrics ? [.. spec.Analyses] : [],
            };
            runs.Add(run with
            {
                MeasureKey = MeasureStages.Of(run, template) is { } measure
                    ? Add(measure, MeasureSetting.AllBlocks, CaptureSelection.None)
                    : null,
                ByNetworks = pictures?.Of(run, model, template, (stage, rows) => Add(stage, rows, CaptureSelection.None)),
            });

            void Decode(string name, RowsRef states)
            {
                if (autoencoder.Decode(states) is { } decode)
                    tensors.AddDecoded(name, new StageRows(Add(decode, inputs.Rows, CaptureSelection.None)));
            }
        }
    }

    StageSpec Invert(
        SweepSpec spec, StageSpec template, RunInputs inputs, RowsRef images, string? samplesKey, RowsRef? noise,
        Intervention? intervention)
    {
        var invert = template with { Kind = StageKind.Invert, Input = images };
        switch (intervention)
        {
            case null:
                return invert;
            case { Swap: null }:
                return invert with
                {
                    Forward = new(
                        intervention.Before,
                        new NoiseRows(spec.ForwardNoise, intervention.Seed, template.Precision.State, inputs.TotalRows),
                        spec.ForwardAlignment == ForwardAlignment.Consistent && template.Model.Family is not ("adm" or "gaussian")),
                };
            case { Swap: { } swap }:
                RowsRef source = intervention.SwapPath is { } path
                    ? inputs.Swap(path, template.NumInferenceSteps, files)
                    : new StageRows(samplesKey ?? throw new BadInputException(
                        $"{intervention.Slug} needs the true predictions of sampling, and the images come from a file: give them with "
                        + "--swap_path (swap.path in a sweep)."));
                if (swap == SwapKind.Xt && intervention.Before == template.NumInferenceSteps && noise is null)
                {
                    throw new BadInputException(
                        $"swap_before_t {intervention.Before} with swap_type xt replaces every step, the last by the initial noise, "
                        + "which is not known here: "
                        + $"give it with --input_noise_path, or a K of at most {template.NumInferenceSteps - 1}.");
                }
                return invert with { Swap = new(swap, intervention.Before, source, noise) };
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

    /// <summary>What a sweep calls a model: its name, and some of its digest where another model of the sweep has that name.</summary>
    static string Name(ModelFacts model, IEnumerable<ModelFacts> all) =>
        all.Any(other => other.Slug == model.Slug && other.Identity.Digest != model.Identity.Digest)
            ? $"{model.Slug}-{model.Identity.Digest[..Math.Min(DigestDigits, model.Identity.Digest.Length)]}"
            : model.Slug;

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

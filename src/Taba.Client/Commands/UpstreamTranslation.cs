using Taba.Grains;
using Taba.Grains.Sweeps;

namespace Taba.Client.Commands;

/// <summary>Upstream's flags as a sweep of one run.</summary>
static class UpstreamTranslation
{
    /// <exception cref="BadInputException">Flags that contradict each other.</exception>
    public static SweepSpec ToSpec(UpstreamArguments a)
    {
        var saveDir = UpstreamFolders.SaveDir(a);
        var sampling = a.Script == UpstreamScript.Sample;
        if (!sampling && a.InputImagePath is null)
            throw new BadInputException(
                $"{(a.Family.TakesText ? "--input_samples_path" : "--input_image_path")} is missing: give the images to invert, such as "
                + "the samples.pt of a sampling run.");
        RequireConditions(a);
        var intervention = Intervention(a);
        return new SweepSpec
        {
            Name = SweepName(saveDir),
            Models = [a.Model],
            Samples = a.Samples,
            Seeds = [a.Seed],
            NumInferenceSteps = [a.NumInferenceSteps],
            WithSampling = a.InputImagePath is null,
            WithInversion = !sampling || a.WithInversion,
            WithReconstruction = a.WithReconstruction,
            WithPlainRun = intervention is null,
            Interventions = intervention is null ? [] : [intervention],
            Internal = a.Internal ? InternalSelection.All : InternalSelection.None,
            BatchSize = a.BatchSize,
            NoisePath = a.InputNoisePath,
            ImagesPath = a.InputImagePath,
            CondPath = a.InputCondPath,
            Conditions = a.Conditions,
            GuidanceScales = [a.GuidanceScale],
            ForwardAlignment = a.ForwardAlignment,
            WithDecoding = a.Decode,
            NParts = a.NParts,
            PartIdx = a.PartIdx,
            Parameters = UpstreamParameters.Of(a, saveDir),
            FlatOutput = true,
        };
    }

    static Intervention? Intervention(UpstreamArguments a)
    {
        switch (a)
        {
            case { SwapBeforeT: { } swap and not 0, ForwardBeforeT: { } forward and not 0 }:
                throw new BadInputException(
                    $"--swap_before_t {swap} and --forward_before_t {forward} both replace the first inversion steps: give one.");
            case { SwapBeforeT: { } before and not 0 }:
                if (a.SwapType is null)
                    throw new BadInputException($"--swap_before_t is {before} and --swap_type is missing: give eps or xt.");
                if (a.SwapPath is null)
                    throw new BadInputException(WithoutSwapPath(a, before));
                return new(a.SwapType == "eps" ? InterventionKind.SwapEps : InterventionKind.SwapXt, before, SwapPath: a.SwapPath);
            case { ForwardBeforeT: { } before and not 0 }:
                return new(InterventionKind.Forward, before, a.ForwardSeed);
            default:
                return null;
        }
    }

    /// <summary>Asked before the plan, which would only say that the file is not there.</summary>
    /// <exception cref="BadInputException">The file of true predictions or states is not there.</exception>
    public static void RequireSwapPath(UpstreamArguments a)
    {
        if (a is { SwapPath: { } path, SwapBeforeT: { } before and not 0 } && !Path.Exists(path))
            throw new BadInputException(WithoutSwapPath(a, before));
    }

    /// <summary>What is missing for a swap, and the command that makes it.</summary>
    static string WithoutSwapPath(UpstreamArguments a, int before)
    {
        var file = $"all_t_{(a.SwapType == "eps" ? "eps_" : "")}samples";
        var folder = a.InputImagePath is { } images && Path.GetDirectoryName(images) is { Length: > 0 } given ? given : "out/base";
        var missing = a.SwapPath is { } path
            ? $"There is no file {path}, which --swap_path names"
            : $"--swap_before_t is {before} and --swap_path is missing";
        return $"{missing}: give the {file} file of the sampling run that made the images; it keeps one with --internal, such as "
            + $"'taba sample {a.Family.Name} --model {a.Model.NameOrPath} --num_inference_steps {a.NumInferenceSteps} --internal "
            + $"--save_dir {folder}' with its own seed and number of samples.";
    }

    /// <summary>
    /// Given samples were made under some conditions, which upstream does not guess either. Said before a model is looked for.
    /// </summary>
    static void RequireConditions(UpstreamArguments a)
    {
        if (a.InputImagePath is null || !a.Family.DrawsConditions)
            return;
        if (a.Family.TakesClasses && a.InputCondPath is null && a.Conditions.Labels is null)
        {
            throw new BadInputException(
                "--input_cond_path is missing: give the classes of the samples, the conds file of the sampling run that made them, or "
                + "--labels.");
        }
        if (a.Family.TakesText && a.Conditions.PromptsPath is null)
        {
            throw new BadInputException(
                "--input_prompts_path is missing: give the prompts of the samples, the prompts.pkl or prompts.json of the sampling run "
                + "that made them.");
        }
    }

    /// <summary>The sweep is called after its folder; a name that starts with a dot, or none, would be no name.</summary>
    static string SweepName(string saveDir)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(saveDir))).TrimStart('.');
        return name.Length > 0 ? name : "run";
    }
}

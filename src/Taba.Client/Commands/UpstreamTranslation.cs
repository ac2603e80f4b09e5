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
            throw new BadInputException("--input_image_path is missing: give the images to invert, such as the samples.pt of a sampling run.");
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
            NParts = a.NParts,
            PartIdx = a.PartIdx,
            Parameters = Parameters(a, saveDir),
            FlatOutput = true,
        };
    }

    static Intervention? Intervention(UpstreamArguments a)
    {
        switch (a.Script)
        {
            case UpstreamScript.Swap when a.SwapBeforeT is { } before and not 0:
                if (a.SwapType is null)
                    throw new BadInputException($"--swap_before_t is {before} and --swap_type is missing: give eps or xt.");
                if (a.SwapPath is null)
                {
                    throw new BadInputException(
                        $"--swap_before_t is {before} and --swap_path is missing: give the all_t_{(a.SwapType == "eps" ? "eps_" : "")}samples file of a sampling run with --internal.");
                }
                return new(a.SwapType == "eps" ? InterventionKind.SwapEps : InterventionKind.SwapXt, before, SwapPath: a.SwapPath);
            case UpstreamScript.Forward when a.ForwardBeforeT is { } before and not 0:
                return new(InterventionKind.Forward, before, a.ForwardSeed);
            default:
                return null;
        }
    }

    /// <summary>What upstream writes into metrics.json as <c>_params</c>: names, and values as text.</summary>
    static Dictionary<string, string> Parameters(UpstreamArguments a, string saveDir)
    {
        var parameters = new Dictionary<string, string>();
        Add("seed", a.Seed);
        Add("num_inference_steps", a.NumInferenceSteps);
        Add("input_image_path", a.InputImagePath);
        Add("output_dir", saveDir);
        Add("batch_size", a.BatchSize);
        if (a.Script == UpstreamScript.Sample)
        {
            Add("n_samples", a.Samples);
            Add("with_inversion", a.WithInversion);
        }
        Add("with_reconstruction", a.WithReconstruction);
        if (a.Script != UpstreamScript.Forward)
            Add("input_noise_path", a.InputNoisePath);
        if (a.InputCondPath is not null)
            Add("input_cond_path", a.InputCondPath);
        Add("n_parts", a.NParts);
        Add("part_idx", a.PartIdx);
        Add("model_name", a.ModelName);
        if (a.Script == UpstreamScript.Swap)
        {
            Add("swap_path", a.SwapPath);
            Add("swap_before_t", a.SwapBeforeT);
            Add("swap_type", a.SwapType);
        }
        else if (a.Script == UpstreamScript.Forward)
        {
            Add("forward_before_t", a.ForwardBeforeT);
            Add("forward_seed", a.ForwardSeed);
        }
        return parameters;

        void Add(string name, object? value) => parameters[name] = value switch
        {
            null => "null",
            bool flag => flag ? "true" : "false",
            _ => $"{value}",
        };
    }

    /// <summary>The sweep is called after its folder; a name that starts with a dot, or none, would be no name.</summary>
    static string SweepName(string saveDir)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(saveDir))).TrimStart('.');
        return name.Length > 0 ? name : "run";
    }
}

using System.Globalization;
using Taba.Silo.Outputs;

namespace Taba.Client.Commands;

/// <summary>The <c>_params</c> of metrics.json, as upstream's scripts write them: every parameter by name, and values as text.</summary>
static class UpstreamParameters
{
    public static IReadOnlyDictionary<string, string> Of(UpstreamArguments a, string saveDir)
    {
        var parameters = new Dictionary<string, string>();
        Add("seed", a.Seed);
        Add("num_inference_steps", a.NumInferenceSteps);
        Add("batch_size", a.BatchSize);
        Add("with_reconstruction", a.WithReconstruction);
        Add("internal", a.Internal);
        Add("model_name", a.ModelName);
        Add("n_parts", a.NParts);
        Add("part_idx", a.PartIdx);
        // Upstream's ADM scripts call it output_dir.
        Add("output_dir", saveDir);
        Add("save_dir", saveDir);
        AddInputs();
        AddConditions();
        AddScript();
        return parameters;

        void AddInputs()
        {
            Add(a.Family.TakesText ? "input_samples_path" : "input_image_path", a.InputImagePath);
            if (a.Script != UpstreamScript.Forward)
                Add(a.Family.DrawsConditions ? "input_path" : "input_noise_path", a.InputNoisePath);
            if (a.Family.TakesClasses && (a.Family.DrawsConditions || a.InputCondPath is not null))
                Add("input_cond_path", a.InputCondPath);
            if (a.Family.TakesText)
                Add("input_prompts_path", a.Conditions.PromptsPath);
        }

        void AddConditions()
        {
            var c = a.Conditions;
            if (c.Labels is { } labels)
            {
                Add("labels", string.Join(',', labels));
                Add("noises_per_prompt", c.NoisesPerPrompt);
            }
            if (!a.Family.DrawsConditions)
                return;
            Add("guidance_scale", a.GuidanceScale);
            if (a.Script != UpstreamScript.Sample)
                return;
            Add("cond_seed", c.CondSeed);
            Add("n_prompts", c.NPrompts);
            Add("noises_per_prompt", c.NoisesPerPrompt);
            if (a.Family.TakesText)
                Add("prompts_dataset", c.Prompts ?? "dataset");
        }

        void AddScript()
        {
            switch (a.Script)
            {
                case UpstreamScript.Sample:
                    if (!a.Family.DrawsConditions)
                        Add("n_samples", a.Samples);
                    Add("with_inversion", a.WithInversion);
                    break;
                case UpstreamScript.Forward:
                    Add("forward_before_t", a.ForwardBeforeT);
                    Add("forward_seed", a.ForwardSeed);
                    Add("forward_alignment", a.ForwardAlignment.ToString().ToLowerInvariant());
                    // Upstream's LDM script counts what it was given, which is known when the folder is written.
                    if (a.Family.Name == "ldm")
                        Add("n_samples", null);
                    if (a.Family.SwapsInForward)
                        AddSwap();
                    break;
                case UpstreamScript.Swap:
                    AddSwap();
                    break;
            }
        }

        void AddSwap()
        {
            Add("swap_path", a.SwapPath);
            Add("swap_before_t", a.SwapBeforeT);
            Add("swap_type", a.SwapType);
        }

        void Add(string name, object? value) => parameters[name] = value switch
        {
            null => "null",
            bool flag => flag ? "true" : "false",
            string text => ParameterText.Of(text),
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => throw new ArgumentException($"{name} is a {value.GetType()}, which is no parameter.", nameof(value)),
        };
    }
}

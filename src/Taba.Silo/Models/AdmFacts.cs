using Taba.Diffusion.Models;
using Taba.Diffusion.Schedules;
using Taba.Grains;
using Taba.Grains.Planning;
using Taba.Grains.Stages;
using Taba.Grains.Sweeps;

namespace Taba.Silo.Models;

/// <summary>What the planner may ask of a model with guided-diffusion's schedule: adm and gaussian.</summary>
sealed class AdmFacts(ModelDefinition definition, bool onCuda) : ModelFacts
{
    static readonly string[] Networks = ["float32", "float16", "bfloat16"];

    public override string? WhyNot(int numInferenceSteps)
    {
        if (AdmSchedule.IsLegal(definition.DiffusionSteps, numInferenceSteps))
            return null;
        var legal = AdmSchedule.LegalNumInferenceSteps(definition.DiffusionSteps);
        var near = legal.OrderBy(t => Math.Abs((long)t - numInferenceSteps)).Take(4).Order();
        return $"num_inference_steps is {numInferenceSteps}: {Slug} has {definition.DiffusionSteps} diffusion steps, of which no integer stride keeps "
            + $"exactly {numInferenceSteps}; the nearest that can be had are {string.Join(", ", near)}.";
    }

    public override int MaxForwardBefore(int numInferenceSteps) => definition.CreateSchedule(numInferenceSteps).MaxForwardBeforeT;

    /// <summary>As upstream on a GPU (ADM-256 runs its torso in float16), float32 on a processor.</summary>
    public override Precision Resolve(PrecisionRequest request)
    {
        var network = request.Network == "auto" ? definition.UseFp16 && onCuda ? "float16" : "float32" : request.Network;
        if (!Networks.Contains(network))
            throw new BadInputException($"dtype is '{request.Network}': it must be auto, float32, float16 or bfloat16.");
        if (network == "float16" && !onCuda)
            throw new BadInputException($"dtype is float16, which libtorch computes 4 to 6 times slower than float32 on a processor: use bfloat16 or float32 with --device cpu.");
        if (request.State is not ("auto" or "float32"))
            throw new BadInputException($"state_dtype is '{request.State}': the {definition.Family} sampler integrates in float32; use auto or float32.");
        var noise = request.Noise == "auto" ? "float32" : request.Noise;
        return Networks.Contains(noise)
            ? new Precision(network, "float32", noise)
            : throw new BadInputException($"noise_dtype is '{request.Noise}': it must be auto, float32, float16 or bfloat16.");
    }
}

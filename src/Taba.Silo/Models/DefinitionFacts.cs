using Taba.Diffusion;
using Taba.Diffusion.Models;
using Taba.Grains;
using Taba.Grains.Planning;
using Taba.Grains.Sweeps;

namespace Taba.Silo.Models;

/// <summary>The planner's questions about a model, answered by its definition.</summary>
sealed class DefinitionFacts(ModelDefinition definition, bool onCuda, Func<ModelDefinition, ModelFacts> resized) : ModelFacts
{
    /// <summary>True for an outline: the names of classes come with the weights, and any name may be one.</summary>
    public bool LacksClassNames { get; init; }

    public override string? WhyNot(int numInferenceSteps) => definition.WhyNot(numInferenceSteps) is { } why
        ? $"num_inference_steps is {numInferenceSteps}, which {Slug} cannot run: {why}."
        : null;

    public override int MaxForwardBefore(int numInferenceSteps) => definition.CreateSchedule(numInferenceSteps).MaxForwardBeforeT;

    public override long ClassId(string label)
    {
        if (definition.ClassCount is null)
            return base.ClassId(label);
        if (LacksClassNames && !label.Trim().All(char.IsAsciiDigit))
            return 0;
        try
        {
            return definition.Labels().Find(label);
        }
        catch (InvalidDataException exception)
        {
            throw new BadInputException($"labels has '{label}': {exception.Message}", exception);
        }
    }

    public override ModelFacts WithSampleSize(int height, int width)
    {
        try
        {
            return resized(definition.WithSampleSize(height, width));
        }
        catch (ArgumentException exception)
        {
            throw new BadInputException(exception.Message, exception);
        }
    }

    /// <summary>As upstream on a GPU, float32 on a processor; noise is drawn as upstream draws it on any device.</summary>
    public override Precision Resolve(PrecisionRequest request)
    {
        var upstream = definition.Upstream;
        var network = Settle(request.Network, "dtype", onCuda ? upstream.Network.ToDtype() : Dtype.Float32);
        if (network == Dtype.Float16 && !onCuda)
            throw new BadInputException(
                "dtype is float16, which libtorch computes 4 to 6 times slower than float32 on a processor: use bfloat16 or float32 "
                + "with --device cpu.");
        var state = Settle(request.State, "state_dtype", onCuda ? upstream.State.ToDtype() : Dtype.Float32);
        if (state != Dtype.Float32 && !definition.AllowsHalfState)
            throw new BadInputException(
                $"state_dtype is '{state.Name()}': the {definition.Family} sampler integrates in float32; use auto or float32.");
        return new(network, state, Settle(request.Noise, "noise_dtype", upstream.Noise.ToDtype()));
    }

    static Dtype Settle(Dtype? asked, string flag, Dtype? auto) => (asked ?? auto) is { } settled and not Dtype.Float64
        ? settled
        : throw new BadInputException($"{flag} is '{asked?.Name() ?? "auto"}': it must be auto, float32, float16 or bfloat16.");
}

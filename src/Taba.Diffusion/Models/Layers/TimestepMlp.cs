using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

/// <summary>TimestepEmbedding of diffusers: linear_1, activation, linear_2 over the sinusoids of a timestep.</summary>
sealed class TimestepMlp(ParameterSet parameters, string prefix, Activation activation = Activation.Silu)
{
    readonly Linear _first = parameters.Linear($"{prefix}.linear_1");
    readonly Linear _second = parameters.Linear($"{prefix}.linear_2");

    public static void Declare(ParameterList list, string prefix, int input, int width)
    {
        list.Linear($"{prefix}.linear_1", input, width);
        list.Linear($"{prefix}.linear_2", width, width);
    }

    /// <param name="sinusoids">[B,input], of the parameters' type.</param>
    /// <returns>[B,width].</returns>
    public Tensor Forward(Tensor sinusoids) => _first.Forward(sinusoids).Then(activation).Then(_second.Forward);
}

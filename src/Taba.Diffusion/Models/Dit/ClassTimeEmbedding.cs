using Taba.Diffusion.Models.Layers;
using Taba.Diffusion.Native;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Dit;

/// <summary>The embedding of timestep and class: the sum of both vectors.</summary>
sealed class ClassTimeEmbedding(ParameterSet parameters, string prefix)
{
    /// <summary>Length of a timestep's sinusoids.</summary>
    public const int SinusoidWidth = 256;

    readonly TimestepMlp _time = new(parameters, $"{prefix}.timestep_embedder");
    readonly Tensor _classes = parameters[$"{prefix}.class_embedder.embedding_table.weight"];

    /// <remarks>The last row of the table is the null class.</remarks>
    public static void Declare(ParameterList list, string prefix, int numClasses, int width)
    {
        TimestepMlp.Declare(list, $"{prefix}.timestep_embedder", SinusoidWidth, width);
        list.Add($"{prefix}.class_embedder.embedding_table.weight", numClasses + 1L, width);
    }

    /// <param name="sinusoids">[B,256], of the parameters' type.</param>
    /// <param name="labels">[B], int64.</param>
    /// <returns>[B,width].</returns>
    public Tensor Forward(Tensor sinusoids, Tensor labels)
    {
        using var scope = NewDisposeScope();
        return _time.Forward(sinusoids).add_(_classes.index_select(0, labels), Scalars.One).MoveToOuterDisposeScope();
    }
}

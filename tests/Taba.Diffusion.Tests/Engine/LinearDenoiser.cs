using Taba.Diffusion.Models;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Engine;

/// <summary>eps = 0.3·x + 0.001·t + c: every number of a trajectory can be followed by hand. c is of the class, or the mean of the prompt.</summary>
sealed class LinearDenoiser(int? classes, TextShape? text) : IDenoiser
{
    public StateShape Shape => Rows.Shape;

    public Device Device => CPU;

    public int? ClassCount => classes;

    public long? NullClass => classes;

    public TextShape? Text => text;

    /// <summary>Rows of each forward pass.</summary>
    public List<long> Passes { get; } = [];

    public static double OfClass(long id) => 0.05 * id;

    public Tensor PredictEps(Tensor xt, Tensor timesteps, Tensor? conditions)
    {
        using var scope = NewDisposeScope();
        Passes.Add(xt.size(0));
        var eps = (xt * 0.3) + (timesteps.view(-1, 1, 1, 1) * 0.001);
        var c = conditions is null ? null
            : text is null ? conditions.to(ScalarType.Float32) * 0.05
            : conditions.mean([1, 2]);
        return (c is null ? eps : eps + c.view(-1, 1, 1, 1)).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        // It has no weights.
    }
}

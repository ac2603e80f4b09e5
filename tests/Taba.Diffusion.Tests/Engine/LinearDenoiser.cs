using Taba.Diffusion.Models;
using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Tests.Engine;

/// <summary>
/// eps = 0.3·x + 0.001·t + c: every number of a trajectory can be followed by hand. c is of the class, or the mean of the prompt.
/// </summary>
sealed class LinearDenoiser(int? classes, TextShape? text) : IDenoiser
{
    static readonly Scalar s_ofState = 0.3.ToScalar();
    static readonly Scalar s_ofTime = 0.001.ToScalar();
    static readonly Scalar s_ofClass = OfClass(1).ToScalar();

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
        var eps = xt.mul(s_ofState).add(timesteps.view(-1, 1, 1, 1).mul(s_ofTime), Scalars.One);
        var c = conditions is null ? null
            : text is null ? conditions.to(ScalarType.Float32).mul(s_ofClass)
            : conditions.mean([1, 2]);
        return (c is null ? eps : eps.add(c.view(-1, 1, 1, 1), Scalars.One)).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        // It has no weights.
    }
}

using Taba.Diffusion.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Dit;

/// <summary>The fixed vectors that tell a transformer where a token is (Vaswani et al. 2017, on two axes).</summary>
static class PositionTable
{
    /// <summary>
    /// The first half of a vector stands for the column, the second for the row; each is [sin(p·f), cos(p·f)] with
    /// f_i = 10000^(-i/(width/4)), computed in float64.
    /// </summary>
    /// <param name="side">Tokens along one side.</param>
    /// <param name="width">Length of a vector; a multiple of 4.</param>
    /// <returns>[1,side·side,width], float32, row after row.</returns>
    public static Tensor Of(int side, int width)
    {
        using var scope = NewDisposeScope();
        using var quarter = (width / 4).ToScalar();
        using var places = side.ToScalar();
        using var fall = (-Math.Log(10000) / (width / 4)).ToScalar();
        var frequencies = arange(Scalars.Zero, quarter, Scalars.One, dtype: ScalarType.Float64).mul(fall).exp();
        var angles = arange(Scalars.Zero, places, Scalars.One, dtype: ScalarType.Float64).unsqueeze(1).mul(frequencies);
        var axis = cat([angles.sin(), angles.cos()], 1);
        var (columns, rows) = (axis.unsqueeze(0).expand(side, side, -1), axis.unsqueeze(1).expand(side, side, -1));
        return cat([columns, rows], 2).reshape(1, side * side, width).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }
}

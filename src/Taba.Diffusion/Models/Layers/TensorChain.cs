using static TorchSharp.torch;

namespace Taba.Diffusion.Models.Layers;

static class TensorChain
{
    /// <summary>
    /// Applies a layer to a tensor that nothing else needs, and frees it: a dispose scope would keep every intermediate of a block
    /// until the block's end. An in-place result, which is the same object, stays.
    /// </summary>
    public static Tensor Then(this Tensor x, Func<Tensor, Tensor> layer)
    {
        var result = layer(x);
        if (!ReferenceEquals(result, x))
            x.Dispose();
        return result;
    }
}

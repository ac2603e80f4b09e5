using Taba.Diffusion.Models.Adm;
using static TorchSharp.torch;

namespace Taba.DemoModel;

/// <summary>Draws samples to look at, by DDIM with eta 0 (Song et al. 2021, eq. 12).</summary>
static class Sampler
{
    /// <returns>[count,3,32,32], float32 in [-1,1].</returns>
    public static Tensor Sample(AdmUnet network, int count, int steps, ulong seed)
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        using var generator = new Generator(seed);
        var alphaBars = DemoArchitecture.AlphaBars();
        var stride = alphaBars.Length / steps;
        var xt = randn([count, 3, ShapePictures.Size, ShapePictures.Size], generator: generator);
        for (var k = steps - 1; k >= 0; k--)
        {
            using var inner = NewDisposeScope();
            var alphaBar = alphaBars[k * stride];
            var alphaBarNext = k == 0 ? 1 : alphaBars[(k - 1) * stride];
            var timesteps = full([count], k * stride * 1000.0 / alphaBars.Length);
            var eps = network.PredictEps(xt, timesteps, conditions: null);
            var predXstart = ((xt - (eps * Math.Sqrt(1 - alphaBar))) / Math.Sqrt(alphaBar)).clamp(-1, 1);
            eps = (xt - (predXstart * Math.Sqrt(alphaBar))) / Math.Sqrt(1 - alphaBar);
            var next = (predXstart * Math.Sqrt(alphaBarNext)) + (eps * Math.Sqrt(1 - alphaBarNext));
            xt = next.MoveToOuterDisposeScope();
        }

        return xt.clamp(-1, 1).MoveToOuterDisposeScope();
    }
}

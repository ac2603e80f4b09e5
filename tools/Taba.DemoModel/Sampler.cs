using Taba.Diffusion.Models.Adm;
using Taba.Diffusion.Sampling;
using Taba.Diffusion.Schedules;
using static TorchSharp.torch;

namespace Taba.DemoModel;

/// <summary>Draws samples to look at.</summary>
static class Sampler
{
    /// <returns>[count,3,32,32], float32 in [-1,1].</returns>
    public static Tensor Sample(AdmUnet network, int count, int steps, ulong seed)
    {
        using var inference = inference_mode();
        using var generator = new Generator(seed);
        using var xT = randn([count, 3, ShapePictures.Size, ShapePictures.Size], generator: generator);
        return DdimSampler.Run(network, DemoArchitecture.Schedule(steps), Direction.Sampling, new DdimRun { X = xT });
    }
}

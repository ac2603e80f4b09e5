using System.Diagnostics;
using Taba.Diffusion.Models;
using Taba.Diffusion.Sampling;
using Taba.Diffusion.Schedules;
using static TorchSharp.torch;

namespace Taba.Bench;

/// <summary>What a person would write with the same network object: T steps on a batch, one batch after the other, nothing else.</summary>
sealed class BareLoop(IDenoiser network, IDiffusionSchedule schedule, int batch) : IDisposable
{
    const int Seed = 420;

    readonly Generator _generator = new(Seed);

    /// <summary>Samples whole batches until the time is over.</summary>
    /// <returns>Evaluations of a sample a second.</returns>
    public double Run(double seconds)
    {
        var clock = Stopwatch.StartNew();
        long evaluations = 0;
        while (clock.Elapsed.TotalSeconds < seconds)
        {
            using var inference = inference_mode();
            using var scope = NewDisposeScope();
            var xT = randn(network.Shape.Batch(batch), generator: _generator).to(network.Device);
            var x0 = DdimSampler.Run(network, schedule, Direction.Sampling, new DdimRun { X = xT });
            // What leaves the device is part of the work.
            x0.cpu().Dispose();
            evaluations += (long)batch * schedule.NumInferenceSteps;
        }
        return evaluations / clock.Elapsed.TotalSeconds;
    }

    public void Dispose() => _generator.Dispose();
}

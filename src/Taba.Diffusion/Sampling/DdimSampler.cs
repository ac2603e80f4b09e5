using Taba.Diffusion.Models;
using Taba.Diffusion.Schedules;
using static TorchSharp.torch;

namespace Taba.Diffusion.Sampling;

/// <summary>
/// Sampling, inversion and reconstruction of one batch by DDIM, with the two interventions of "There and Back Again" (arXiv
/// 2410.23530): the first K predictions are swapped for given ones, or the first K inversion steps are replaced by forward diffusion.
/// This loop defines the numbers of the engine, which batches rows of any step and direction (Engine/DenoisingEngine).
/// </summary>
public static class DdimSampler
{
    /// <summary>Runs the steps of a schedule in one direction.</summary>
    /// <param name="model">The network.</param>
    /// <param name="schedule">Its noise levels.</param>
    /// <param name="direction">From noise to image, or back.</param>
    /// <param name="run">Batch, conditions and interventions.</param>
    /// <param name="stepped">Told of each step that had a prediction; the tensors live as long as the call.</param>
    /// <returns>x_0 or x_T, [B,C,H,W], in the caller's dispose scope.</returns>
    /// <exception cref="ArgumentException">Forward replacement is asked for, and the direction is not inversion.</exception>
    public static Tensor Run(
        IDenoiser model, IDiffusionSchedule schedule, Direction direction, DdimRun run, Action<int, DdimResult>? stepped = null)
    {
        if (run.ForwardBefore > 0 && direction != Direction.Inversion)
        {
            throw new ArgumentException(
                $"Forward diffusion replaces the first {run.ForwardBefore} steps of an inversion, and this is sampling.", nameof(run));
        }
        using var scope = NewDisposeScope();
        var x = StateRounding.Apply(run.X, run.State);
        if (run.ForwardBefore > 0)
            x = ForwardDiffusion.Apply(x, run.ForwardNoise!, schedule.ForwardAlphaBar(run.ForwardBefore), run.State);

        for (var k = run.ForwardBefore; k < schedule.NumInferenceSteps; k++)
        {
            using var inner = NewDisposeScope();
            var given = run.Swap is not null && k < run.SwapBefore ? StateRounding.Apply(run.SwapRows!(k), run.State) : null;
            if (given is not null && run.Swap == SwapKind.Xt)
            {
                Continue(given);
                continue;
            }
            var step = schedule.Step(direction, k);
            var row = StepNumbers.From(step, schedule.Rule(direction), schedule.Bounds, epsGiven: given is not null);
            using var numbers = BatchNumbers.From([row], model.Device, Ddim.Arithmetic(run.State));
            var result = Ddim.Step(x, given ?? PredictEps(model, x, step.Timestep, run), numbers, run.State);
            stepped?.Invoke(k, result);
            Continue(result.XNext);
        }
        return x.MoveToOuterDisposeScope();

        void Continue(Tensor next)
        {
            x.Dispose();
            x = next.MoveToOuterDisposeScope();
        }
    }

    /// <summary>The network's eps, led away from the unconditional one where guidance is on: u + g·(c - u).</summary>
    static Tensor PredictEps(IDenoiser model, Tensor x, float timestep, DdimRun run)
    {
        var rows = x.shape[0];
        if (!Guidance.IsOn(run.GuidanceScale))
            return model.PredictEps(x, Filled(rows, timestep, model.Device), run.Conditions);
        var conditions = cat([run.Conditions!, run.NullConditions!]);
        var eps = model.PredictEps(cat([x, x]), Filled(2 * rows, timestep, model.Device), conditions);
        var scales = Filled(rows, (float)run.GuidanceScale, model.Device).view(-1, 1, 1, 1).to(eps.dtype);
        return Guidance.Combine(eps.narrow(0, 0, rows), eps.narrow(0, rows, rows), scales);
    }

    static Tensor Filled(long rows, float value, Device device) => tensor(Enumerable.Repeat(value, (int)rows).ToArray(), device: device);
}
